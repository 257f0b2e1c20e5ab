"""The order of candidates: by distance, and by row where distances are equal up to rounding."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict

TIE: Final = 2.0**-40
"""Relative difference of distances up to which they count as equal, and are ordered by row: 9e-13."""


@strict
def order_by_distance(rows: NDArray[np.int64], distances: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    """Write the order of candidates; a chain of distances each within a tie of the last is ordered by row.

    Compiled, since NumPy's way, of six calls, is a twentieth of a re-rank of 64 tokens, and holds the GIL.

    Args:
        rows: int64 [m].
        distances: float64 [m].
        order: int64 [m], written: the place of the first, of the second, and so on.
    """
    for place in range(rows.shape[0]):
        _insert_by_distance(place, distances, order)
    first = 0
    last = 0.0
    for place in range(rows.shape[0]):
        distance = distances[order[place]]
        if distance - last > TIE * distance:
            first = place
        last = distance
        _move_by_row(place, rows, order, first)


@strict
def _insert_by_distance(place: int, distances: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    to = place
    while to > 0 and distances[order[to - 1]] > distances[place]:
        order[to] = order[to - 1]
        to -= 1
    order[to] = place


@strict
def _move_by_row(place: int, rows: NDArray[np.int64], order: NDArray[np.int64], first: int) -> None:
    moved = order[place]
    to = place
    while to > first and rows[order[to - 1]] > rows[moved]:
        order[to] = order[to - 1]
        to -= 1
    order[to] = moved
