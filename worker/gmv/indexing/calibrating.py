"""A build's own measurement of how many candidates are enough, and the images that it makes to measure by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import Corpus
from gmv.encoders.port import MirroringEncoder, Numbers
from gmv.imaging.decode import ImageLimits
from gmv.index.manifest import CalibratedCandidates
from gmv.index.port import Recall
from gmv.index.tokens import Tokens
from gmv.indexing.calibration import Answers, Query, calibrate, recalled_at, tried_up_to, true_nearest
from gmv.indexing.calibration_queries import copies_and_mixes, mixes, pictures, queries_for, training_images
from gmv.indexing.evidence import Made
from gmv.indexing.progress import Progress
from gmv.valuation.wasserstein.rerank import ExactReranker

TRAINING_IMAGES: Final = "training images"
MIXES: Final = "mixes of training images"

_SEED = 0


class Truth(NamedTuple):
    """Queries of one kind, and the keys of the nearest of all rows to each, as `true_nearest` found them."""

    kind: str
    queries: Sequence[Query]
    nearest: Sequence[NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is wanted of candidates, and where queries come from.

    Attributes:
        corpus: that is indexed.
        limits: of its images.
        side: of mixes, in pixels.
        target: share of the true nearest that is wanted.
        candidates_max: the most candidates that are tried.
        threads: that rank; no bit depends on it.
        finds_copies: whether near copies are grouped.
    """

    corpus: Corpus
    limits: ImageLimits
    side: int
    target: float
    candidates_max: int
    threads: int
    finds_copies: bool = True

    def sources(self, image_ids: Sequence[str], encoder: MirroringEncoder | None) -> list[NDArray[np.uint8]]:
        """Read training images to make others of; none without an encoder that could see these.

        Args:
            image_ids: of the rows.
            encoder: of images.
        """
        return [] if encoder is None else pictures(self.corpus, image_ids, self.limits, self.side, _SEED)

    def made(self, sources: Sequence[NDArray[np.uint8]], encoder: MirroringEncoder | None) -> Made:
        """Make copies and mixes of training images."""
        return Made([], []) if encoder is None else Made(*copies_and_mixes(sources, encoder, self.side, _SEED))

    def truths(
        self,
        vectors: Numbers,
        tokens: Tokens,
        encoder: MirroringEncoder | None,
        sources: Sequence[NDArray[np.uint8]],
        progress: Progress,
    ) -> list[Truth]:
        """Rank all rows for each query.

        Args:
            vectors: [rows, D].
            tokens: [rows, n, d].
            encoder: of images; without one no mixes can be made, and training images are the only queries.
            sources: training images that mixes are made of, as `pictures` reads them.
            progress: shows how far it is.
        """
        rows = len(vectors)
        count = queries_for(rows)
        asked = {TRAINING_IMAGES: training_images(vectors, tokens, encoder, count, _SEED)}
        if encoder is not None:
            asked[MIXES] = mixes(sources, encoder, self.side, count, _SEED)
        reranker = ExactReranker(tokens, self.threads, encoder.token_scale if encoder else 1)
        truths = []
        with progress("measuring candidates", sum(map(len, asked.values())), "images") as advance:
            for kind, queries in asked.items():
                nearest = []
                for start in range(0, len(queries), self.threads):
                    some = queries[start : start + self.threads]
                    nearest += true_nearest(reranker, some, rows)
                    advance(len(some))
                truths.append(Truth(kind, queries, nearest))
        return truths

    def candidates(self, recall: Recall, truths: Sequence[Truth], rows: int) -> CalibratedCandidates:
        """See how many of the nearest are recalled by how many candidates.

        Args:
            recall: over the rows.
            truths: what is to be recalled.
            rows: in the index.
        """
        tried = tried_up_to(self.candidates_max, rows)
        answers = [Answers(each.kind, each.nearest, recalled_at(recall, each.queries, tried)) for each in truths]
        return calibrate(answers, self.target, self.candidates_max)
