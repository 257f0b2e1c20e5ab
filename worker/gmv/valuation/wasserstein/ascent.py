"""Better duals by subgradient steps (Polyak, USSR Computational Mathematics and Mathematical Physics 9, 1969)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.bounds import tighten_columns
from gmv.valuation.wasserstein.fixed import DUAL_MAX

_DUAL_LIMIT: Final = float(DUAL_MAX)

_ONE: Final = np.int32(256)
"""Directions are counted in 256ths."""

_DEFLECTION: Final = np.int32(51)
"""Of `_ONE`, 0.2: the share of the last direction that the next one keeps; without it, steps zigzag."""


@strict
def ascend(
    costs: NDArray[np.int32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    target: np.int64,
    threshold: np.int64,
    rounds: int,
    direction: NDArray[np.int32],
    best: NDArray[np.int32],
) -> np.int64:
    """Raise the dual value sum_j u_j + sum_i min_j (c_ji - u_j), a concave function of the row duals.

    A step goes as far along a subgradient as would reach `target`, were the function linear.

    Args:
        costs: int32 [n, n].
        rows: int32 [n], row duals: where to start; where the ascent got to, after.
        columns: int32 [n], column duals, written: tight against the best rows met.
        target: of the ascent; too low stops it early, too high makes steps too long.
        threshold: stop once the bound is above.
        rounds: at most.
        direction: int32 [n], scratch.
        best: int32 [n], scratch: the best rows met.

    Returns:
        The best lower bound met.
    """
    direction[:] = np.int32(0)
    best[:] = rows
    highest = bound = tighten_columns(costs, rows, columns)
    for _ in range(rounds):
        if highest > threshold or not _step(costs, rows, columns, target - bound, direction):
            break
        bound = tighten_columns(costs, rows, columns)
        if bound > highest:
            highest = bound
            best[:] = rows
    if bound < highest:
        tighten_columns(costs, best, columns)
    return highest


@strict
def _step(
    costs: NDArray[np.int32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    gap: np.int64,
    direction: NDArray[np.int32],
) -> bool:
    """Move the row duals; False where there is nowhere to go.

    A subgradient's component for a row is 1 less the number of columns whose minimum it holds. Columns of several
    minima count for each of those rows, which adds to the subgradient about equally everywhere, and rows that all
    move alike change no bound.
    """
    count = costs.shape[0]
    squared_length = np.int64(0)
    for row in range(count):
        dual = rows[row]
        held = np.int32(0)
        for column in range(count):
            held += np.int32(np.int32(costs[row, column] - dual) <= columns[column])
        kept = np.int32(_DEFLECTION * direction[row]) >> np.int32(8)
        component = np.int32(_ONE * np.int32(np.int32(1) - held) + kept)
        direction[row] = component
        squared_length += np.int64(component) * np.int64(component)
    if gap <= 0 or squared_length == 0:
        return False
    step = np.float64(_ONE) * np.float64(gap) / np.float64(squared_length)
    for row in range(count):
        moved = np.float64(rows[row]) + step * np.float64(direction[row])
        rows[row] = np.int32(min(max(moved, -_DUAL_LIMIT), _DUAL_LIMIT))
    return True
