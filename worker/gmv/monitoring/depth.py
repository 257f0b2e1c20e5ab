"""How deep in the list of recalled images the contributors are: what shows a recall that has become poor."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.monitoring.catalogue import Metrics
from gmv.valuation.ranking import Ranking, Reranker


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
        self, queries: Sequence[NDArray[np.float32]], candidates: Sequence[NDArray[np.int64]], contributors: int
    ) -> list[Ranking]:
        """Candidates are in order of recall."""
        rankings = self._inner.nearest(queries, candidates, contributors)
        for ranking, rows in zip(rankings, candidates, strict=True):
            if len(rows) > len(ranking.rows):  # where all recalled images contribute, their order says nothing
                for place in np.flatnonzero(np.isin(rows, ranking.rows)).tolist():
                    self._depth_ratio.observe(place / (len(rows) - 1))
        return rankings
