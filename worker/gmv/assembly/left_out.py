"""Training images that are left out since they are opted out: the next nearest take their places."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Numbers
from gmv.index.images import ArrowImages
from gmv.index.port import LooksRecalled, Recall
from gmv.valuation.owners import Ownership

_ROWS_AT_ONCE = 100_000


class RecallOfOthers(Recall):
    """A `Recall` that answers without the rows left out, in the same order.

    Before the re-rank and not after it: the K nearest of those that remain are exact, at no cost, and there are K as
    long as K of the M recalled images remain. An answer may be empty.
    """

    def __init__(self, inner: Recall, left_out: NDArray[np.bool_]) -> None:
        """Take note of what is left out.

        Args:
            inner: recalls from all of the index.
            left_out: bool [rows of the index], True for those to leave out.
        """
        self._inner = inner
        self._left_out = left_out

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        return [self._others(rows) for rows in self._inner.recall(vectors, candidates)]

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        recalled = self._inner.recall_looks(vectors, candidates)
        return [LooksRecalled(self._others(each.rows), self._others(each.mirrored_rows)) for each in recalled]

    def _others(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows[~self._left_out[rows]]


def left_out_rows(ownership: Ownership, images: ArrowImages) -> NDArray[np.bool_]:
    """Return which rows of the index are left out, bool [rows]: one byte for each training image."""
    left_out = np.zeros(len(images), np.bool_)
    for rows in _concerned(ownership, images):
        named = images.images(rows)
        left_out[rows] = [ownership.is_opted_out(each.image_id, each.owner_id) for each in named]
    return left_out


def _concerned(ownership: Ownership, images: ArrowImages) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that owners have said something about, piece by piece."""
    of_images = images.rows_of_images(ownership.opted_out_images | ownership.owners.keys())
    rows = np.union1d(of_images, images.rows_of_owners(ownership.opted_out_owners))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]
