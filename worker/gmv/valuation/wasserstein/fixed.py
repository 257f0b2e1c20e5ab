"""Costs and duals as whole numbers: multiples of a power of two that is chosen for each pair of token sets.

Sums and differences of whole numbers have no rounding, so that a bound made of them is a bound, a minimum is the same
in any order, and which assignment is found depends on neither vector width nor instruction set. They are also faster
than float32: a 32-bit subtraction and a minimum take one cycle each, and four.

Costs are rounded down, to at most C = 2^25, and the ascent keeps row duals within R = 4 C. Nothing overflows then.
Column duals made tight against such rows are at most V = 5 C in size. The search (`assignment`) only lowers them, and
not below -6 C: a row's dual is at most C + V while some column is free. Its paths are no longer than C + 2 V = 11 C, as
one straight to the free column is not; so rows set off at -6 C to 16 C, and labels are at most 23 C. Columns that it is
done with have the dual -32 C and the label 25 C, above any other: what reaches them, 26 C to 49 C, changes nothing.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict

_COST_BITS: Final = 25
COST_MAX: Final = np.int32(2**_COST_BITS)
DUAL_MAX: Final = np.int32(4 * COST_MAX)
CLOSED: Final = np.int32(25 * COST_MAX)
"""The label of a column that the search is done with."""

FAR: Final = np.int32(32 * COST_MAX)
"""Stands for infinity."""

_EXPONENT_MIN: Final = -60
"""Of the unit, plus `_COST_BITS`: token sets that are all within 2^-60 of the origin have it, too."""

_NORM_ROUNDING: Final = 1.0 + 2.0**-10
"""Squared lengths are at most d 2^-24 too small, and d is at most 4,096."""

_BELOW: Final = np.float32(1.0 - 2.0**-22)
"""Makes good that a square root and its product with this are each rounded, by at most 2^-24 of themselves."""


@strict
def unit_of(one: np.float32, other: np.float32) -> float:
    """Return the power of two that costs are counted in, so that none is above `COST_MAX`.

    Args:
        one: the greatest squared length of a token of one set.
        other: of the other set.
    """
    farthest = (math.sqrt(np.float64(one)) + math.sqrt(np.float64(other))) * _NORM_ROUNDING
    _, exponent = math.frexp(farthest)
    return math.ldexp(1.0, max(exponent, _EXPONENT_MIN) - _COST_BITS)


@strict
def in_units(total: float, unit: float) -> np.int64:
    """Return the whole units in a total >= 0: a whole number is above them where it is above the total."""
    return np.int64(min(total / unit, 2.0**62))


@strict
def costs_of(squares: NDArray[np.float32], unit: float, costs: NDArray[np.int32]) -> None:
    """Write costs in units, never above the true ones.

    Args:
        squares: float32 [n or more, n or more], squared costs, never above the true ones.
        unit: of this pair of token sets.
        costs: int32 [n, n], written.
    """
    factor = _BELOW * np.float32(1.0 / unit)
    count = costs.shape[0]
    for row in range(count):
        for column in range(count):
            costs[row, column] = np.int32(np.sqrt(squares[row, column]) * factor)


@strict
def cost_of(square: np.float32, unit: float) -> np.int32:
    """Return one cost as `costs_of` does: the least of a row's costs is that of its least square."""
    return np.int32(np.sqrt(square) * (_BELOW * np.float32(1.0 / unit)))
