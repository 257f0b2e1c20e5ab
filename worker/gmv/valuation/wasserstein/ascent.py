"""Better duals by subgradient steps (Polyak, USSR Computational Mathematics and Mathematical Physics 9, 1969)."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.bounds import dual_value, tighten_columns
from gmv.valuation.wasserstein.fixed import DUAL_MAX, FAR

_DUAL_LIMIT: Final = float(DUAL_MAX)

_ONE: Final = np.int32(256)
"""Directions are counted in 256ths."""

_DEFLECTION: Final = np.int32(51)
"""Of `_ONE`, 0.2: the share of the last direction that the next one keeps; without it, steps zigzag."""


class AscentScratch(NamedTuple):
    """Scratch of one ascent, int32 [n] each.

    Attributes:
        direction: of the last step.
        best: the best rows met.
        held_by: the row that holds each column's minimum.
    """

    direction: NDArray[np.int32]
    best: NDArray[np.int32]
    held_by: NDArray[np.int32]


def new_ascent(tokens: int) -> AscentScratch:
    """Allocate scratch for sets of so many tokens."""
    return AscentScratch(*(np.empty(tokens, np.int32) for _ in AscentScratch._fields))


@strict
def ascend(
    costs: NDArray[np.int32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    target: np.int64,
    threshold: np.int64,
    rounds: int,
    scratch: AscentScratch,
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
        scratch: of the ascent.

    Returns:
        The best lower bound met.
    """
    scratch.direction[:] = np.int32(0)
    _copy(rows, scratch.best)
    highest = bound = _hold_columns(costs, rows, columns, scratch.held_by)
    for _ in range(rounds):
        if highest > threshold or not _step(rows, target - bound, scratch):
            break
        bound = _hold_columns(costs, rows, columns, scratch.held_by)
        if bound > highest:
            highest = bound
            _copy(rows, scratch.best)
    if bound < highest:
        tighten_columns(costs, scratch.best, columns)
    return highest


@strict
def _hold_columns(
    costs: NDArray[np.int32], rows: NDArray[np.int32], columns: NDArray[np.int32], held_by: NDArray[np.int32]
) -> np.int64:
    """Make column duals tight as `tighten_columns` does, and note the first row that holds each column's minimum."""
    count = costs.shape[0]
    columns[:] = FAR
    for row in range(count):
        dual = rows[row]
        label = np.int32(row)
        for column in range(count):
            reduced = np.int32(costs[row, column] - dual)
            held_by[column] = label if reduced < columns[column] else held_by[column]
            columns[column] = min(columns[column], reduced)
    return dual_value(rows, columns)


@strict
def _step(rows: NDArray[np.int32], gap: np.int64, scratch: AscentScratch) -> bool:
    """Move the row duals; False where there is nowhere to go.

    A subgradient's component for a row is 1 less the number of columns whose minimum it holds.
    """
    count = rows.shape[0]
    direction, held_by = scratch.direction, scratch.held_by
    for row in range(count):
        direction[row] = np.int32(_ONE + (np.int32(_DEFLECTION * direction[row]) >> np.int32(8)))
    for column in range(count):
        direction[held_by[column]] -= _ONE
    squared_length = np.int64(0)
    for row in range(count):
        squared_length += np.int64(direction[row]) * np.int64(direction[row])
    if gap <= 0 or squared_length == 0:
        return False
    step = np.float64(_ONE) * np.float64(gap) / np.float64(squared_length)
    for row in range(count):
        moved = np.float64(rows[row]) + step * np.float64(direction[row])
        rows[row] = np.int32(min(max(moved, -_DUAL_LIMIT), _DUAL_LIMIT))
    return True


@strict
def _copy(numbers: NDArray[np.int32], copied: NDArray[np.int32]) -> None:
    for place in range(numbers.shape[0]):
        copied[place] = numbers[place]
