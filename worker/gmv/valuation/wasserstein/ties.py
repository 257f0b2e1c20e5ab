"""The order of candidates: by distance, and by row where distances are equal up to rounding."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict

TIE: Final = 2.0**-40
"""Relative difference of distances up to which they count as equal, and are ordered by row: 9e-13."""


@strict
def order_by_distance(
    rows: NDArray[np.int64], mirrored: NDArray[np.bool_], distances: NDArray[np.float64], order: NDArray[np.int64]
) -> int:
    """Write the order of rows; a chain of distances each within a tie of the last is ordered by row.

    Of a row's two looks the nearer counts, and the look as it is where they tie.

    Compiled, since NumPy's way, of six calls, is a twentieth of a re-rank of 64 tokens, and holds the GIL.

    Args:
        rows: int64 [m].
        mirrored: bool [m], of which look.
        distances: float64 [m].
        order: int64 [m], written: the place of the first, of the second, and so on.

    Returns:
        How many rows there are.
    """
    count = 0
    for place in range(rows.shape[0]):
        if not _has_better_look(place, rows, mirrored, distances):
            _insert_by_distance(place, count, distances, order)
            count += 1
    first = 0
    last = 0.0
    for place in range(count):
        distance = distances[order[place]]
        if distance - last > TIE * distance:
            first = place
        last = distance
        _move_by_row(place, rows, order, first)
    return count


@strict
def _has_better_look(
    place: int, rows: NDArray[np.int64], mirrored: NDArray[np.bool_], distances: NDArray[np.float64]
) -> bool:
    for other in range(rows.shape[0]):
        if rows[other] == rows[place] and mirrored[other] != mirrored[place]:
            plain, turned = (other, place) if mirrored[place] else (place, other)
            is_plain_better = distances[plain] - distances[turned] <= TIE * distances[plain]
            return bool(is_plain_better == mirrored[place])
    return False


@strict
def _insert_by_distance(place: int, count: int, distances: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    to = count
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
