"""A build's own measurement of how many candidates are enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gmv.corpus.port import Corpus
from gmv.encoders.port import MirroringEncoder, Numbers
from gmv.imaging.decode import ImageLimits
from gmv.index.manifest import CalibratedCandidates
from gmv.index.port import Recall
from gmv.index.tokens import Tokens
from gmv.indexing.calibration import Answers, calibrate, recalled_at, tried_up_to, true_nearest
from gmv.indexing.calibration_queries import mixes, queries_for, training_images
from gmv.indexing.progress import Progress
from gmv.valuation.wasserstein.rerank import ExactReranker

TRAINING_IMAGES: Final = "training images"
MIXES: Final = "mixes of training images"

_SEED = 0


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

    def measure(
        self,
        recall: Recall,
        vectors: Numbers,
        tokens: Tokens,
        image_ids: Sequence[str],
        encoder: MirroringEncoder | None,
        progress: Progress,
    ) -> CalibratedCandidates:
        """Rank all rows for each query, and see how many of the nearest are recalled.

        Args:
            recall: over the vectors.
            vectors: [rows, D].
            tokens: [rows, n, d].
            image_ids: of the rows.
            encoder: of images; without one no mixes can be made, and training images are the only queries.
            progress: shows how far it is.
        """
        rows = len(vectors)
        count = queries_for(rows)
        tried = tried_up_to(self.candidates_max, rows)
        asked = {TRAINING_IMAGES: training_images(vectors, tokens, encoder, count, _SEED)}
        if encoder is not None:
            asked[MIXES] = mixes(self.corpus, image_ids, self.limits, encoder, self.side, count, _SEED)
        reranker = ExactReranker(tokens, self.threads, encoder.token_scale if encoder else 1)
        answers = []
        with progress("measuring candidates", sum(map(len, asked.values())), "images") as advance:
            for kind, queries in asked.items():
                true = []
                for start in range(0, len(queries), self.threads):
                    some = queries[start : start + self.threads]
                    true += true_nearest(reranker, some, rows)
                    advance(len(some))
                answers.append(Answers(kind, true, recalled_at(recall, queries, tried)))
        return calibrate(answers, self.target, self.candidates_max)
