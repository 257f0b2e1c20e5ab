"""Encoding and recall of a run's events by several threads: decorators around the two ports.

What they return depends on no other event of the call, so a run may be cut anywhere, and is the same bit for bit.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.around import AroundEncoder
from gmv.encoders.port import Encoder, Features, Numbers
from gmv.index.port import LooksRecalled, Recall

T = TypeVar("T")


class SideBySide:
    """Cuts work into one part per thread."""

    def __init__(self, executor: Executor, threads: int) -> None:
        self._executor = executor
        self._threads = threads

    def each(self, work: Callable[[slice], T], count: int) -> list[T]:
        """Do work on parts that cover 0 to `count`, in order; what one of them raises, this raises."""
        length = max(1, -(-count // self._threads))
        return list(self._executor.map(work, [slice(first, first + length) for first in range(0, count, length)]))


class EncoderSideBySide(AroundEncoder):
    """An `Encoder`."""

    def __init__(self, inner: Encoder, side_by_side: SideBySide) -> None:
        super().__init__(inner)
        self._side_by_side = side_by_side

    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        if len(images) < 2:
            return self._inner.encode(images)
        encoded = self._side_by_side.each(lambda part: self._inner.encode(images[part]), len(images))
        return Features(
            np.concatenate([each.vectors for each in encoded]), np.concatenate([each.tokens for each in encoded])
        )


class RecallSideBySide(Recall):
    """A `Recall`."""

    def __init__(self, inner: Recall, side_by_side: SideBySide) -> None:
        self._inner = inner
        self._side_by_side = side_by_side

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        recalled = self._side_by_side.each(lambda part: self._inner.recall(vectors[part], candidates), len(vectors))
        return list(chain.from_iterable(recalled))

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        recalled = self._side_by_side.each(
            lambda part: self._inner.recall_looks(vectors[part], candidates), len(vectors)
        )
        return list(chain.from_iterable(recalled))
