"""A query's looks as `place_products` takes them: its places in lanes, moved so that those beside one another meet."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.index.place_products import NUMBERS, PLACES, WAYS

PLACE_SIZE_MAX: Final = 2**12

FAR: Final = np.int32(2**30)
"""Stands for a place that is not there: greater than the squared distance of any two of `PLACE_SIZE_MAX` numbers, and
an int32 still when one's own square is added."""

_LINE_BYTES: Final = 64


@strict
def lay_out(looks: NDArray[np.int8], side: int) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Lay looks out, their places in blocks of `PLACES` and numbers in steps of `NUMBERS`; what is added is zeros.

    Args:
        looks: int8 [l, places, n].
        side: of the grid of places.

    Returns:
        int16 [l x blocks, 5, n / 2, 2 PLACES], n rounded up: for each way to be beside a place, its numbers; and int32
        [l x blocks, 5, PLACES], their squared lengths, `FAR` where there is no such place.
    """
    count, places, size = looks.shape
    blocks, numbers = -(-places // PLACES), -(-size // NUMBERS) * NUMBERS
    laid_out = _zeros(count * blocks * WAYS * numbers * PLACES)
    shaped = laid_out.reshape(count * blocks, WAYS, numbers // 2, 2 * PLACES)
    squares = np.full((count * blocks, WAYS, PLACES), FAR, np.int32)
    for look in range(count):
        for place in range(places):
            block, lane = look * blocks + place // PLACES, place % PLACES
            for way in range(WAYS):
                beside = _beside(place, way, side)
                if beside >= 0:
                    square = np.int32(0)
                    for number in range(size):
                        content = np.int32(looks[look, beside, number])
                        square = np.int32(square + content * content)
                        row, column = number // 4 * 2 + number % 2, lane * 2 + number % 4 // 2
                        shaped[block, way, row, column] = content
                    squares[block, way, lane] = square
    return shaped, squares


@strict
def _beside(place: int, way: int, side: int) -> int:
    """Return the place itself, or that to its left, right, above or below; -1 where there is none."""
    row, column = place // side, place % side
    if way == 1:
        return place - 1 if column > 0 else -1
    if way == 2:
        return place + 1 if column < side - 1 else -1
    if way == 3:
        return place - side if row > 0 else -1
    if way == 4:
        return place + side if row < side - 1 else -1
    return place


@strict
def _zeros(size: int) -> NDArray[np.int16]:
    """Return int16 [size] that begins with a line of the cache: 81 ns for 16 places, not 95 where loads cross lines."""
    longer = np.zeros(size + _LINE_BYTES // 2, np.int16)
    start = -longer.ctypes.data % _LINE_BYTES // 2
    return longer[start : start + size]
