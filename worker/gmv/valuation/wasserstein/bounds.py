"""Lower bounds of the least total cost of an assignment, from feasible duals of its linear programme.

Numbers u_j, one per row, and v_i, one per column, with u_j + v_i <= c_ji for all j and i are feasible, and their sum
is at most the cost of any assignment (weak duality). Here one side is always the rounded minimum over the other:
fl(c_ji - u_j) differs from c_ji - u_j by at most 2^-24 of itself, so v_i minus 2^-23 |v_i| is feasible, whatever the
u_j are. Every bound below is lowered by that much and is thus a bound in exact arithmetic, given costs that are; the
factor of two to spare covers the float64 sums.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.cost import squared_cost
from gmv.valuation.wasserstein.extremes import LARGE, lesser

_ROUNDING: Final = 2.0**-23


@fast
def relaxed_bound(
    products: NDArray[np.float32],
    candidate_norms: NDArray[np.float32],
    query_norms: NDArray[np.float32],
    minima: NDArray[np.float32],
) -> float:
    """Return the cost if every token went to its nearest, whoever else goes there (Kusner et al., ICML 2015).

    The larger of the two directions: sum_j min_i c_ji, and sum_i min_j c_ji. Only minima need square roots, and no
    cost is written: two candidates in three are never looked at again.

    Args:
        products: float32 [n, n], of tokens, row j for the candidate's token j.
        candidate_norms: float32 [n], lowered.
        query_norms: float32 [n], lowered.
        minima: float32 [n], written: the least squared cost of each column.
    """
    count = query_norms.shape[0]
    for column in range(count):
        minima[column] = LARGE
    by_rows = 0.0
    for row in range(count):
        norm = candidate_norms[row]
        least = LARGE
        for column in range(count):
            square = squared_cost(norm, query_norms[column], products[row, column])
            least = lesser(least, square)
            minima[column] = lesser(minima[column], square)
        by_rows += np.sqrt(least)
    by_columns = 0.0
    for column in range(count):
        by_columns += np.sqrt(minima[column])
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
