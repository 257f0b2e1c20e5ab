"""Recall that near copies of one image do not crowd: fifty of them could be all that is recalled for an event."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Numbers
from gmv.index.groups import GroupOfRow
from gmv.index.port import LooksRecalled, Recall

T = TypeVar("T")


class RecallPastCopies(Recall):
    """A `Recall` that asks for twice as many, and twice again, for queries whose answers have too few groups.

    Without copies, or with some beside enough other images, it is one call for M, as ever.
    """

    def __init__(self, inner: Recall, group_of: GroupOfRow, groups_min: int) -> None:
        """Take note of the groups.

        Args:
            inner: recalls rows, each for itself.
            group_of: int32 [rows], a number that the rows of a group share, and no other row.
            groups_min: how many different groups are wanted, K; images without copies count as one each.
        """
        self._inner = inner
        self._group_of = group_of
        self._groups_min = groups_min

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        return self._asked_again(self._inner.recall, lambda rows: rows, vectors, candidates)

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        return self._asked_again(self._inner.recall_looks, np.concatenate, vectors, candidates)

    def _asked_again(
        self,
        recall: Callable[[Numbers, int], list[T]],
        rows_of: Callable[[T], NDArray[np.int64]],
        vectors: Numbers,
        candidates: int,
    ) -> list[T]:
        found = recall(vectors, candidates)
        crowded = list(range(len(found)))
        pairs_max = 2 * len(self._group_of)
        while (crowded := [place for place in crowded if self._is_crowded(rows_of(found[place]))]) and (
            candidates < pairs_max
        ):
            candidates = min(2 * candidates, pairs_max)
            for place, more in zip(crowded, recall(vectors[crowded], candidates), strict=True):
                found[place] = more
        return found

    def _is_crowded(self, rows: NDArray[np.int64]) -> bool:
        """Return whether copies are what makes groups too few."""
        groups = len(np.unique(self._group_of[rows]))
        return groups < self._groups_min and groups < len(np.unique(rows))
