"""Better duals by subgradient steps (Polyak, USSR Computational Mathematics and Mathematical Physics 9, 1969)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.bounds import tighten_columns

_DEFLECTION: Final = np.float32(0.2)
"""Share of the last direction that the next one keeps; without it, steps zigzag."""


@fast
def ascend(
    costs: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    target: float,
    threshold: float,
    rounds: int,
    direction: NDArray[np.float32],
    best: NDArray[np.float32],
) -> float:
    """Raise the dual value sum_j u_j + sum_i min_j (c_ji - u_j), a concave function of the row duals.

    A step goes as far along a subgradient as would reach `target`, were the function linear.

    Args:
        costs: float32 [n, n].
        rows: float32 [n], row duals: where to start; where the ascent got to, after.
        columns: float32 [n], column duals, written: tight against the best rows met.
        target: of the ascent; too low stops it early, too high makes steps too long.
        threshold: stop once the bound is above.
        rounds: at most.
        direction: float32 [n], scratch.
        best: float32 [n], scratch: the best rows met.

    Returns:
        The best lower bound met.
    """
    direction[:] = np.float32(0)
    highest = -1e300
    left = rounds
    while True:
        bound = tighten_columns(costs, rows, columns)
        is_best = bound > highest
        if is_best:
            highest = bound
            best[:] = rows
        if highest > threshold or left == 0 or not _step(costs, rows, columns, target - bound, direction):
            break
        left -= 1
    if not is_best:
        tighten_columns(costs, best, columns)
    return highest


@fast
def _step(
    costs: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    gap: float,
    direction: NDArray[np.float32],
) -> bool:
    """Move the row duals; False where there is nowhere to go.

    A subgradient's component for a row is 1 less the number of columns whose minimum it holds. Columns of several
    minima count for each of those rows, which adds to the subgradient about equally everywhere, and rows that all
    move alike change no bound.
    """
    count = costs.shape[0]
    squared_length = np.float32(0)
    for row in range(count):
        dual = rows[row]
        held = np.int32(0)
        for column in range(count):
            held += np.int32(costs[row, column] - dual <= columns[column])
        component = np.float32(np.int32(1) - held) + _DEFLECTION * direction[row]
        direction[row] = component
        squared_length += component * component
    if gap <= 0.0 or squared_length <= np.float32(0):
        return False
    step = np.float32(gap) / squared_length
    for row in range(count):
        rows[row] += step * direction[row]
    return True
