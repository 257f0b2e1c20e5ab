"""The re-rank as its callers know it, and what it returns for one generated image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Step(IntEnum):
    """Which step of the kernel was the last for a candidate."""

    RELAXED = 0  # discarded by the relaxed bound
    HALF = 1  # by the half bound
    ASCENT = 2  # by dual ascent
    SEARCH = 3  # while it was being assigned
    SUPERSEDED = 4  # by a threshold that fell after it was assigned
    CERTIFIED = 5  # settled, with a certificate
    UNPROVEN = 6  # settled, without one: the general solver had the last word


@dataclass(frozen=True, slots=True)
class Ranking:
    """The nearest training images of one query.

    Attributes:
        rows: int64 [min(K, M)], by distance; those of equal distance (see `ties.TIE`) by row. Rows of an index are in
            order of image id.
        distances: float64 [min(K, M)], W1.
        ended: how many of the M candidates each step ended; None where the general solver took all of them, because
            the query has another number of tokens than the index, or there are tokens too long for float32.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    ended: Mapping[Step, int] | None


class Reranker(Protocol):
    """The exact re-rank of recalled training images."""

    def nearest(
        self, queries: Sequence[NDArray[np.float32]], candidates: Sequence[NDArray[np.int64]], contributors: int
    ) -> list[Ranking]:
        """Return the K = `contributors` nearest of each query's candidates by W1.

        Args:
            queries: float32 [n, d] each, the generated images' tokens.
            candidates: int64 [M] each, rows of the recalled training images, each once, in any order.
            contributors: K; all M are returned where M < K.
        """
