"""Lower bounds of the least total cost of an assignment, from feasible duals of its linear programme.

Numbers u_j, one per row, and v_i, one per column, with u_j + v_i <= c_ji for all j and i are feasible, and their sum
is at most the cost of any assignment (weak duality). Here one side is always the rounded minimum over the other:
fl(c_ji - u_j) differs from c_ji - u_j by at most 2^-24 of itself, so v_i minus 2^-23 |v_i| is feasible, for any
u_j. Every bound below is lowered by that much and is thus a bound in exact arithmetic, given costs that are. The
float64 sums, wrong by some 2^-46 of what they add up, are covered by the factor of two to spare, and where the tight
side adds up to nothing by the costs themselves, which are lowered by 2^-17 and more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.instructions import LARGE, lesser

_ROUNDING: Final = 2.0**-23


@fast
def relaxed_bound(row_minima: NDArray[np.float32], column_minima: NDArray[np.float32]) -> float:
    """Return the cost if every token went to its nearest, even if others go there too (Kusner et al., ICML 2015).

    The larger of the two directions. Only minima need square roots: two candidates in three are never looked at again.

    Args:
        row_minima: float32 [n], the least squared cost of each row.
        column_minima: float32 [n], of each column.
    """
    by_rows = 0.0
    by_columns = 0.0
    for place in range(row_minima.shape[0]):
        by_rows += np.sqrt(row_minima[place])
        by_columns += np.sqrt(column_minima[place])
    return max(by_rows, by_columns) * (1.0 - _ROUNDING)


@fast
def half_bound(
    costs: NDArray[np.float32],
    minima: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
) -> float:
    """Return the bound of duals that give both sides a share of each cost, where the relaxed bound serves one side.

    A column's dual is half its least cost to begin with; rows are made tight against it, and columns against them.

    Args:
        costs: float32 [n, n].
        minima: float32 [n], the least squared cost of each column.
        rows: float32 [n], written: row duals.
        columns: float32 [n], written: column duals.
    """
    for column in range(costs.shape[0]):
        columns[column] = np.float32(0.5) * np.sqrt(minima[column])
    tighten_rows(costs, columns, rows)
    return tighten_columns(costs, rows, columns)


@fast
def tighten_rows(costs: NDArray[np.float32], columns: NDArray[np.float32], rows: NDArray[np.float32]) -> float:
    """Make the largest feasible row duals for given column duals.

    Args:
        costs: float32 [n, n].
        columns: float32 [n], any finite numbers.
        rows: float32 [n], written: the minimum over i of c_ji - v_i.

    Returns:
        A lower bound of the least total cost.
    """
    count = costs.shape[0]
    for row in range(count):
        least = LARGE
        for column in range(count):
            least = lesser(least, costs[row, column] - columns[column])
        rows[row] = least
    return dual_value(columns, rows)


@fast
def tighten_columns(costs: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> float:
    """Make the largest feasible column duals for given row duals: the mirror image of `tighten_rows`.

    Args:
        costs: float32 [n, n].
        rows: float32 [n], any finite numbers.
        columns: float32 [n], written: the minimum over j of c_ji - u_j.

    Returns:
        A lower bound of the least total cost.
    """
    count = costs.shape[0]
    for column in range(count):
        columns[column] = LARGE
    for row in range(count):
        dual = rows[row]
        for column in range(count):
            columns[column] = lesser(columns[column], costs[row, column] - dual)
    return dual_value(rows, columns)


@fast
def dual_value(given: NDArray[np.float32], tight: NDArray[np.float32]) -> float:
    """Return the lower bound that duals prove, float32 [n] each, where one side was made tight against the other."""
    total = 0.0
    size = 0.0
    for place in range(given.shape[0]):
        total += given[place]
        total += tight[place]
        size += abs(tight[place])
    return total - _ROUNDING * size
