"""Near copies among training images, found through the index itself.

Two images are near copies where W1 between them, the lesser of both looks, is at most a level times the spacing of
either's tokens (`spacing`). The level is learnt from the corpus: the tenth nearest of an image, itself left out, is
hardly ever a copy of it, and .64 of the median of that distance, in spacings, is what it comes to. Of 49,000 images of
CIFAR-10 that is 1.0. 3.6 % of all images have their nearest within: of some 40 pairs looked at from .9 on, all were the
same picture, and of as many between 1.1 and 1.2 half.

For most images it is enough to see that their nearest, of the eight that recall puts first, is too far: 1.6 ms an image
over 49,000, of which recall is 1.2. More is asked only as long as all that was asked for are copies.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Features, MirroringEncoder, Numbers
from gmv.index.port import LooksRecalled, Recall
from gmv.index.tokens import Tokens, as_query
from gmv.indexing.calibration import Query, queries_of
from gmv.indexing.grouping import Link
from gmv.indexing.progress import Progress
from gmv.indexing.spacing import spacings
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker

NEIGHBOURS: Final = 10

_OF_TENTH: Final = 0.64
_SAMPLE: Final = 500
_IMAGES_AT_ONCE: Final = 64


class _Asked(NamedTuple):
    candidates: int
    nearest: int


_STEPS: Final = (_Asked(8, 1), _Asked(16, 4), _Asked(60, 60))


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What was learnt of neighbours that were left out of their own answers.

    Attributes:
        level: up to which an image counts as a copy, in spacings.
        queries: that had a neighbour.
        nearest_within: share of them whose nearest counts as a copy.
        tenth_within: share of them whose tenth nearest, or the last of fewer, does.
    """

    level: float
    queries: int
    nearest_within: float
    tenth_within: float


class CopyFinder:
    """Tells near copies from others, over the recall, vectors and tokens of an index."""

    def __init__(
        self, recall: Recall, vectors: Numbers, tokens: Tokens, reranker: Reranker, encoder: MirroringEncoder | None
    ) -> None:
        """See how far apart the tokens of each image are.

        Args:
            recall: over the vectors.
            vectors: [rows, D].
            tokens: [rows, n, d].
            reranker: over the tokens; may be called by several threads at once.
            encoder: that mirrors images; None where there is no mirrored look.
        """
        self._recall = recall
        self._vectors = vectors
        self._tokens = tokens
        self._reranker = reranker
        self._encoder = encoder
        self._scale = encoder.token_scale if encoder else 1
        self._spacings = spacings(tokens, self._scale)

    @property
    def rows(self) -> int:
        """Training images."""
        return len(self._spacings)

    def learn_level(self, seed: int) -> Neighbourhood:
        """Rank a sample of training images against all others, and say what is near.

        Args:
            seed: of the sample.
        """
        sample = np.sort(np.random.default_rng(seed).choice(self.rows, min(self.rows, _SAMPLE), replace=False))
        found = self._ranked(sample, _Asked(_STEPS[-1].candidates, NEIGHBOURS))
        ratios = [self._ratios(row, ranking) for row, ranking in zip(sample.tolist(), found, strict=True)]
        tenth = [each[-1] for each in ratios if len(each) and np.isfinite(each[-1])]
        level = float(f"{_OF_TENTH * median(tenth):.2g}") if tenth else 0.0
        count = sum(len(each) > 0 for each in ratios)
        within = [(bool(each[0] <= level), bool(each[-1] <= level)) for each in ratios if len(each)]
        shares = (round(sum(some) / count, 4) for some in zip(*within, strict=True)) if count else (0.0, 0.0)
        return Neighbourhood(level, count, *shares)

    def find_links(self, rows: NDArray[np.int64], level: float, threads: int, progress: Progress) -> list[Link]:
        """Return the near copies that rows have among all rows; the same for any number of threads.

        Of an index that has grown, the new rows alone are asked: a pair is found from either side.

        Args:
            rows: int64, those to ask.
            level: that was learnt.
            threads: that rank.
            progress: shows how far it is.
        """
        pieces = np.array_split(rows, range(_IMAGES_AT_ONCE, len(rows), _IMAGES_AT_ONCE))
        links: list[Link] = []
        with (
            ThreadPoolExecutor(threads, thread_name_prefix="copies") as pool,
            progress("finding copies", len(rows), "images") as advance,
        ):
            for piece, found in zip(pieces, pool.map(lambda piece: self._links(piece, level), pieces), strict=True):
                links += found
                advance(len(piece))
        return links

    def is_missed(self, altered: Features, rows: NDArray[np.int64], level: float) -> NDArray[np.bool_]:
        """Return, for each altered copy of a row, whether it is too far from it to be found, bool [b].

        Args:
            altered: of b images.
            rows: int64 [b], what each was made of.
            level: that was learnt.
        """
        candidates = [np.array([row]) for row in rows]
        rankings = self._nearest(queries_of(altered, self._encoder), candidates, candidates, 1)
        own = spacings(altered.tokens, self._scale)
        apart = np.array([ranking.distances[0] for ranking in rankings])
        missed: NDArray[np.bool_] = apart > level * np.minimum(own, self._spacings[rows])
        return missed

    def _links(self, rows: NDArray[np.int64], level: float) -> list[Link]:
        links: set[Link] = set()
        for asked in _STEPS:
            going_on = []
            for row, ranking in zip(rows.tolist(), self._ranked(rows, asked), strict=True):
                copies = ranking.rows[self._ratios(row, ranking) <= level].tolist()
                links.update((min(row, other), max(row, other)) for other in copies)
                if len(copies) == asked.nearest:
                    going_on.append(row)
            rows = np.array(going_on, np.int64)
            if not len(rows):
                break
        return sorted(links)

    def _ratios(self, row: int, ranking: Ranking) -> NDArray[np.float64]:
        """Return distances in spacings; of two that are both without any, 0 for the same features, else infinite."""
        units = np.minimum(self._spacings[row], self._spacings[ranking.rows])
        ratios = np.where(ranking.distances > 0.0, np.inf, 0.0)
        np.divide(ranking.distances, units, out=ratios, where=units > 0.0)
        return ratios

    def _ranked(self, rows: NDArray[np.int64], asked: _Asked) -> list[Ranking]:
        """Return the nearest others of each row."""
        features = Features(np.array(self._vectors[rows]), as_query(self._tokens[rows]))
        queries = queries_of(features, self._encoder, rows.tolist())
        recalled = self._recall.recall_looks(features.vectors, asked.candidates + 1)  # one more, for the image itself
        others = list(_without(recalled, rows))
        places = [place for place, each in enumerate(others) if len(each.rows) + len(each.mirrored_rows)]
        found = self._nearest(
            [queries[place] for place in places],
            [others[place].rows for place in places],
            [others[place].mirrored_rows for place in places],
            asked.nearest,
        )
        ranked = dict(zip(places, found, strict=True))
        return [ranked.get(place, _NONE) for place in range(len(rows))]

    def _nearest(
        self,
        queries: Sequence[Query],
        rows: Sequence[NDArray[np.int64]],
        mirrored_rows: Sequence[NDArray[np.int64]],
        nearest: int,
    ) -> list[Ranking]:
        looks = [
            None if query.mirrored_tokens is None else MirroredLook(query.mirrored_tokens, candidates)
            for query, candidates in zip(queries, mirrored_rows, strict=True)
        ]
        return self._reranker.nearest([query.tokens for query in queries], rows, nearest, looks)


_NONE: Final = Ranking(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), None)


def _without(recalled: Sequence[LooksRecalled], rows: NDArray[np.int64]) -> Iterator[LooksRecalled]:
    for found, row in zip(recalled, rows, strict=True):
        yield LooksRecalled(found.rows[found.rows != row], found.mirrored_rows[found.mirrored_rows != row])
