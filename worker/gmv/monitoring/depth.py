"""How deep in the list of recalled images the contributors are: what shows a recall that has become poor."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.monitoring.catalogue import Metrics
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Tokens


class RecallDepth(Reranker):
    """A `Reranker`.

    Recall puts the images that it takes for the nearest first, and the exact re-rank picks among all of them. Where the
    picked ones reach to the end of the list, more of their kind lie beyond it, unseen: generated images have become
    unlike those that the index was made for, or M is too small. The exact answer is not known to a worker; this is.
    """

    def __init__(self, inner: Reranker, metrics: Metrics) -> None:
        self._inner = inner
        self._depth_ratio = metrics.contributor_depth_ratio

    @override
    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        """Candidates of each look are in order of recall, and end where recall ended, which is at one distance."""
        rankings = self._inner.nearest(queries, candidates, contributors, mirrored)
        looks = [None] * len(rankings) if mirrored is None else mirrored
        for ranking, rows, look in zip(rankings, candidates, looks, strict=True):
            self._observe(rows, ranking.rows[~ranking.mirrored])
            if look is not None:
                self._observe(look.candidates, ranking.rows[ranking.mirrored])
        return rankings

    def _observe(self, recalled: NDArray[np.int64], picked: NDArray[np.int64]) -> None:
        if len(recalled) > len(picked):  # where all recalled images contribute, their order says nothing
            for place in np.flatnonzero(np.isin(recalled, picked)).tolist():
                self._depth_ratio.observe(place / (len(recalled) - 1))
