"""Lower bounds of the least total cost of an assignment, from feasible duals of its linear programme.

Numbers u_j, one per row, and v_i, one per column, with u_j + v_i <= c_ji for all j and i are feasible, and their sum
is at most the cost of any assignment (weak duality). Here one side is always the minimum over the other, and all are
whole numbers (`fixed`): every bound below holds exactly, given costs that are not above the true ones.
"""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.fixed import FAR, cost_of


@strict
def relaxed_bound(row_minima: NDArray[np.float32], column_minima: NDArray[np.float32], unit: float) -> np.int64:
    """Return the cost if every token went to its nearest, even if others go there too (Kusner et al., ICML 2015).

    The larger of the two directions. Only minima need square roots: two candidates in three are never looked at again.

    Args:
        row_minima: float32 [n], the least squared cost of each row.
        column_minima: float32 [n or more], of each column.
        unit: of the bound.
    """
    by_rows = np.int64(0)
    by_columns = np.int64(0)
    for place in range(row_minima.shape[0]):
        by_rows += cost_of(row_minima[place], unit)
        by_columns += cost_of(column_minima[place], unit)
    return max(by_rows, by_columns)


@strict
def half_bound(
    squares: NDArray[np.float32],
    minima: NDArray[np.float32],
    unit: float,
    costs: NDArray[np.int32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    halves: NDArray[np.int32],
) -> np.int64:
    """Return the bound of duals that give both sides a share of each cost, where the relaxed bound serves one side.

    A column's dual is half its least cost to begin with; rows are made tight against it, and columns against them.
    Row by row, while it is near: its costs, its dual, and what that leaves of each column's. The square roots take the
    processor longest, which does the rest beside them.

    Args:
        squares: float32 [n or more, n or more], squared costs, never above the true ones.
        minima: float32 [n or more], the least squared cost of each column.
        unit: of the costs.
        costs: int32 [n, n], written, as `costs_of` does.
        rows: int32 [n], written: row duals.
        columns: int32 [n], written: column duals.
        halves: int32 [n], scratch.
    """
    count = costs.shape[0]
    for column in range(count):
        halves[column] = cost_of(minima[column], unit) >> np.int32(1)
        columns[column] = FAR
    for row in range(count):
        least = FAR
        for column in range(count):
            cost = cost_of(squares[row, column], unit)
            costs[row, column] = cost
            least = min(least, np.int32(cost - halves[column]))
        rows[row] = least
        for column in range(count):
            columns[column] = min(columns[column], np.int32(costs[row, column] - least))
    return dual_value(rows, columns)


@strict
def tighten_rows(costs: NDArray[np.int32], columns: NDArray[np.int32], rows: NDArray[np.int32]) -> np.int64:
    """Make the largest feasible row duals for given column duals.

    Args:
        costs: int32 [n, n].
        columns: int32 [n].
        rows: int32 [n], written: the minimum over i of c_ji - v_i.

    Returns:
        A lower bound of the least total cost.
    """
    count = costs.shape[0]
    for row in range(count):
        least = FAR
        for column in range(count):
            least = min(least, np.int32(costs[row, column] - columns[column]))
        rows[row] = least
    return dual_value(rows, columns)


@strict
def tighten_columns(costs: NDArray[np.int32], rows: NDArray[np.int32], columns: NDArray[np.int32]) -> np.int64:
    """Make the largest feasible column duals for given row duals: the mirror image of `tighten_rows`.

    Args:
        costs: int32 [n, n].
        rows: int32 [n].
        columns: int32 [n], written: the minimum over j of c_ji - u_j.

    Returns:
        A lower bound of the least total cost.
    """
    count = costs.shape[0]
    for column in range(count):
        columns[column] = FAR
    for row in range(count):
        dual = rows[row]
        for column in range(count):
            columns[column] = min(columns[column], np.int32(costs[row, column] - dual))
    return dual_value(rows, columns)


@strict
def dual_value(rows: NDArray[np.int32], columns: NDArray[np.int32]) -> np.int64:
    """Return the lower bound that feasible duals prove, int32 [n] each."""
    total = np.int64(0)
    for place in range(rows.shape[0]):
        total += np.int64(rows[place]) + np.int64(columns[place])
    return total
