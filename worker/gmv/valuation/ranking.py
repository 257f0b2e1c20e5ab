"""The re-rank as its callers know it, and what it returns for one generated image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tokens: TypeAlias = "NDArray[np.float32] | NDArray[np.int8]"
"""Of one image, [n, d]: int8 where the index holds whole numbers."""


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
        rows: int64 [min(K, M)], M being how many different rows were candidates, by distance; those of equal distance
            (see `ties.TIE`) by row. Rows of an index are in order of image id.
        distances: float64 [min(K, M)], W1; of a row that was a candidate of both looks, the lesser.
        mirrored: bool [min(K, M)], whether that is the distance to the mirrored look. Where both are equal it is not.
        ended: how many pairs of a candidate and a look each step ended; None where the general solver took all of them,
            because the query has another number of tokens than the index, or there are tokens too long for float32.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    mirrored: NDArray[np.bool_]
    ended: Mapping[Step, int] | None


@dataclass(frozen=True, slots=True)
class MirroredLook:
    """A query mirrored, and the candidates it is compared with.

    Attributes:
        tokens: [n, d], of the query's shape and dtype.
        candidates: int64 [M], rows of recalled training images, each once, in any order; may be none. A row may also be
            a candidate of the query as it is.
    """

    tokens: Tokens
    candidates: NDArray[np.int64]


class Reranker(Protocol):
    """The exact re-rank of recalled training images."""

    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        """Return the K = `contributors` nearest of each query's candidates by W1.

        Args:
            queries: [n, d] each, the generated images' tokens.
            candidates: int64 [M] each, rows of the recalled training images, each once, in any order; none only beside
                a mirrored look that has some.
            contributors: K; all different rows are returned where there are fewer.
            mirrored: each query's mirrored look, if it has one; None where none has.
        """
