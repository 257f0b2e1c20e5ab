"""What events are compared with for evidence, and how often that errs, measured on the corpus itself.

Training images are left out of their own answers, by both looks, as events are ranked. 1,999 of them give ratios, every
tenth of which is kept: a tenth of the numbers, and p-values by them are conformal like those by all. Others that were
left out, and copies and mixes that the build made, show the errors.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.flatness import flat_from, tokens_alike
from gmv.encoders.port import MirroringEncoder, Numbers
from gmv.index.evidence import (
    FLAT_NAMED_MAX,
    IMAGES_PER_RATIO_MAX,
    RATIOS,
    WITHOUT_SOURCE,
    EvidenceErrors,
    MeasuredEvidence,
)
from gmv.index.groups import GroupOfRow
from gmv.index.port import Recall
from gmv.index.tokens import Tokens
from gmv.indexing.calibration import Query
from gmv.indexing.calibration_queries import training_images
from gmv.indexing.progress import Progress
from gmv.valuation.evidence import RANK, p_value, ratio
from gmv.valuation.ranking import MirroredLook, Reranker

_LEVELS: Final = (0.01, 0.05, 0.1)
_AT_ONCE: Final = 64
_DECIMALS: Final = 4


class Made(NamedTuple):
    """Images of a known source that a build made; none where the corpus brings features."""

    copies: Sequence[Query]
    mixes: Sequence[Query]


class Nearness(NamedTuple):
    """How near a query is to training images.

    Attributes:
        ratio: see `gmv.valuation.evidence.ratio`.
        row: of the nearest.
    """

    ratio: float
    row: int


class Ranked(NamedTuple):
    """What queries are ranked by.

    Attributes:
        recall: over the vectors.
        reranker: over the tokens; a group of near copies has one place in its answers, where there are groups.
        candidates: M.
        group_of: int32 [rows], the lowest row of each row's group of near copies. Of an image that is left out the
            whole group is: what an event without a source would be compared with has none of its copies either.
    """

    recall: Recall
    reranker: Reranker
    candidates: int
    group_of: GroupOfRow

    def nearness(self, queries: Sequence[Query]) -> list[Nearness | None]:
        """Return that of each, a training image left out of its own answer; None where nobody else is recalled."""
        parts = [queries[start : start + _AT_ONCE] for start in range(0, len(queries), _AT_ONCE)]
        return [found for part in parts for found in self._nearness(part)]

    def _nearness(self, queries: Sequence[Query]) -> list[Nearness | None]:
        spare = any(query.row is not None for query in queries)  # one more, for its own
        vectors = np.stack([query.vector for query in queries])
        recalled = self.recall.recall_looks(vectors, self.candidates + spare)
        others = [
            (query, self._others(query, looks.rows), self._others(query, looks.mirrored_rows))
            for query, looks in zip(queries, recalled, strict=True)
        ]
        places = [place for place, each in enumerate(others) if len(each[1]) + len(each[2])]
        asked = [others[place] for place in places]
        looks = [
            None if query.mirrored_tokens is None else MirroredLook(query.mirrored_tokens, mirrored)
            for query, _, mirrored in asked
        ]
        tokens = [query.tokens for query, _, _ in asked]
        found = self.reranker.nearest(tokens, [rows for _, rows, _ in asked], RANK, looks)
        near = {
            place: Nearness(ratio(ranking.distances.tolist()), int(ranking.rows[0]))
            for place, ranking in zip(places, found, strict=True)
        }
        return [near.get(place) for place in range(len(queries))]

    def _others(self, query: Query, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows if query.row is None else rows[self.group_of[rows] != self.group_of[query.row]]


def measure_evidence(
    ranked: Ranked,
    vectors: Numbers,
    tokens: Tokens,
    positions: int,
    encoder: MirroringEncoder | None,
    image_ids: Sequence[str],
    made: Made,
    seed: int,
    progress: Progress,
) -> MeasuredEvidence:
    """Leave training images out, and see how near to one they are.

    Args:
        ranked: over the index.
        vectors: [rows, D].
        tokens: [rows, n, d].
        positions: how many of a token's last numbers say where it is.
        encoder: that mirrors images; None where there is no mirrored look.
        image_ids: of the rows.
        made: images of known sources.
        seed: of the draw.
        progress: shows how far it is.
    """
    rows = len(vectors)
    per_ratio = max(1, min(IMAGES_PER_RATIO_MAX, (rows + 1) // (RATIOS + 1)))
    count = min(rows, per_ratio * (RATIOS + 1) - 1)
    alike = tokens_alike(tokens, positions)
    flat = np.flatnonzero(alike >= (bound := flat_from(alike, tokens.shape[1])))
    drawn = _shuffled(training_images(vectors, tokens, encoder, count + WITHOUT_SOURCE, seed), seed)
    asked = [drawn[:count], drawn[count:], made.copies, made.mixes]
    found: list[list[Nearness | None]] = []
    with progress("measuring evidence", sum(map(len, asked)), "images") as advance:
        for queries in asked:
            found.append(ranked.nearness(queries))
            advance(len(queries))
    left_out = sorted(each.ratio for each in found[0] if each is not None)
    kept = tuple(left_out[per_ratio - 1 :: per_ratio])
    p_values = [[p_value(each.ratio if each else ratio([]), kept) for each in some] for some in found[1:]]
    is_nearest_flat = [[each is not None and alike[each.row] >= bound for each in some] for some in found[1:]]
    is_flat = [
        _is_flat(queries, positions, bound) | np.array(nearest, np.bool_)
        for queries, nearest in zip(asked[1:], is_nearest_flat, strict=True)
    ]
    return MeasuredEvidence(
        images=len(left_out),
        ratios=kept,
        flat_from=bound,
        flat_images=len(flat),
        flat_named=tuple(image_ids[row] for row in flat[:FLAT_NAMED_MAX]),
        queries_without_source=len(p_values[0]),
        queries_copies=len(p_values[1]),
        queries_mixes=len(p_values[2]),
        errors=tuple(_errors(level, p_values, is_flat) for level in _LEVELS),
    )


def _shuffled(queries: Sequence[Query], seed: int) -> list[Query]:
    """Return them in another order: those that show errors must be of any row."""
    return [queries[place] for place in np.random.default_rng((seed, 3)).permutation(len(queries))]


def _is_flat(queries: Sequence[Query], positions: int, bound: int) -> NDArray[np.bool_]:
    if not queries:
        return np.empty(0, np.bool_)
    return tokens_alike(np.stack([query.tokens for query in queries]), positions) >= bound


def _errors(level: float, p_values: Sequence[Sequence[float]], is_flat: Sequence[NDArray[np.bool_]]) -> EvidenceErrors:
    reliable = [
        _share((np.array(some) <= level) & ~flat) if some else None
        for some, flat in zip(p_values, is_flat, strict=True)
    ]
    without_source, copies, mixes = reliable
    return EvidenceErrors(
        level=level, without_source=without_source, copies_missed=_missed(copies), mixes_missed=_missed(mixes)
    )


def _share(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), _DECIMALS)


def _missed(reliable: float | None) -> float | None:
    return None if reliable is None else round(1.0 - reliable, _DECIMALS)
