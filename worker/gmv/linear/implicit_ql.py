"""Eigenvalues and eigenvectors of a tridiagonal matrix by implicit QL.

EISPACK's tql2 (Bowdler, Martin, Reinsch and Wilkinson, Numerische Mathematik 11, 1968), as JAMA writes it. Rotations
are noted, and many at a time applied to some rows of vectors at a time, which then stay in the cache: the same
operations on the same numbers in the same order, whatever the sizes of both.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.linear.rows import rotate

_ROUNDOFF: Final = 2.0**-52
_SWEEPS_MAX: Final = 60
"""For an eigenvalue. Two are usual; EISPACK gives up after 30."""

_ROWS_AT_ONCE: Final = 32
_SWEEPS_NOTED: Final = 64
"""Rotations noted, in sweeps over the whole matrix."""


@strict
def diagonalise(diagonal: NDArray[np.float64], beside: NDArray[np.float64], vectors: NDArray[np.float64]) -> bool:
    """Turn a tridiagonal T into its eigenvalues, and Q into Q V, where T = V diag(values) V'.

    Args:
        diagonal: float64 [p], that of T; the eigenvalues afterwards, in no order.
        beside: float64 [p], T's numbers below the diagonal, the last 0; destroyed.
        vectors: float64 [p, p], Q.

    Returns:
        False where an eigenvalue did not settle, which no finite matrix is known to do.
    """
    size = diagonal.shape[0]
    room = _SWEEPS_NOTED * size
    places = np.empty(room, np.int64)
    cosines = np.empty(room)
    sines = np.empty(room)
    noted = 0
    largest = 0.0
    shifted = 0.0
    for first in range(size):
        largest = max(largest, abs(diagonal[first]) + abs(beside[first]))
        sweeps = 0
        while True:
            last = first
            while abs(beside[last]) > _ROUNDOFF * largest:
                last += 1
            if last == first:
                break
            if sweeps == _SWEEPS_MAX:
                return False
            sweeps += 1
            if noted + last - first > room:
                _rotate_all(vectors, places[:noted], cosines, sines)
                noted = 0
            shifted += _sweep(diagonal, beside, first, last, places[noted:], cosines[noted:], sines[noted:])
            noted += last - first
        diagonal[first] += shifted
        beside[first] = 0.0
    _rotate_all(vectors, places[:noted], cosines, sines)
    return True


@strict
def _sweep(
    diagonal: NDArray[np.float64],
    beside: NDArray[np.float64],
    first: int,
    last: int,
    places: NDArray[np.int64],
    cosines: NDArray[np.float64],
    sines: NDArray[np.float64],
) -> float:
    """Do one step of QL on the part from first to last, and note its rotations; return the shift of the diagonal."""
    before = diagonal[first]
    ratio = (diagonal[first + 1] - before) / (2.0 * beside[first])
    length = _hypotenuse(ratio, 1.0)
    ratio += -length if ratio < 0.0 else length
    diagonal[first] = beside[first] / ratio
    diagonal[first + 1] = beside[first] * ratio
    second = diagonal[first + 1]
    second_beside = beside[first + 1]
    shift: float = before - diagonal[first]
    for place in range(first + 2, diagonal.shape[0]):
        diagonal[place] -= shift
    carried = diagonal[last]
    cosine = cosine_before = cosine_twice_before = 1.0
    sine = sine_before = 0.0
    for place in range(last - 1, first - 1, -1):
        cosine_twice_before = cosine_before
        cosine_before = cosine
        sine_before = sine
        across = cosine * beside[place]
        along = cosine * carried
        length = _hypotenuse(carried, beside[place])
        beside[place + 1] = sine * length
        sine = beside[place] / length
        cosine = carried / length
        carried = cosine * diagonal[place] - sine * across
        diagonal[place + 1] = along + sine * (cosine * across + sine * diagonal[place])
        noted = last - 1 - place
        places[noted] = place
        cosines[noted] = cosine
        sines[noted] = sine
    carried = -sine * sine_before * cosine_twice_before * second_beside * beside[first] / second
    beside[first] = sine * carried
    diagonal[first] = cosine * carried
    return shift


@strict
def _hypotenuse(some: float, other: float) -> float:
    """Return sqrt(a a + b b) by correctly rounded operations alone; the C library's hypot is another on each system."""
    large = max(abs(some), abs(other))
    small = min(abs(some), abs(other))
    if large == 0.0:
        return 0.0
    ratio = small / large
    return large * math.sqrt(1.0 + ratio * ratio)


@strict
def _rotate_all(
    vectors: NDArray[np.float64], places: NDArray[np.int64], cosines: NDArray[np.float64], sines: NDArray[np.float64]
) -> None:
    """Rotate each two neighbouring columns of the vectors, in the order noted."""
    size = vectors.shape[0]
    some = np.empty((size, _ROWS_AT_ONCE))
    for start in range(0, size, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, size - start)
        for row in range(rows):
            for column in range(size):
                some[column, row] = vectors[start + row, column]
        for noted in range(places.shape[0]):
            place = places[noted]
            rotate(some[place, :rows], some[place + 1, :rows], cosines[noted], sines[noted])
        for row in range(rows):
            for column in range(size):
                vectors[start + row, column] = some[column, row]
