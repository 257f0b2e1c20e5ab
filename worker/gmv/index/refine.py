"""Ordering pairs of row and look by their vectors, which say more than codes do and take longer to read."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.index.look_layout import FAR, lay_out
from gmv.index.place_products import PLACES, WAYS, compare_places

_STEP: Final = 40.0
"""What it costs to find a place's content beside it. By 25, 40 and 60 the figures below are .973, .975 and .968 for
images, and .960, .955 and .942 for mixes."""


@strict
def refine(
    vectors: NDArray[np.int8],
    looks: NDArray[np.int8],
    rows: NDArray[np.int64],
    mirrored: NDArray[np.bool_],
    places: int,
    apart: NDArray[np.float64],
) -> None:
    """Say how far apart a query's looks and rows are: from each place to the most alike of it and those beside it.

    It stands for W1 of the tokens, which it never sees, and is made like its relaxed bound: content may come from a
    place beside, at a cost, so a shifted part of an image is found. Both ways, the roots of these distances are added
    up; a part that was painted over weighs less by its root. Of the ten nearest by W1 of 48,000 images, among the
    first 100 of 3,000 are, for images and for mixes of several, .975 and .955 by it, .950 and .908 by the roots of
    distances at each place itself, .948 and .903 by these distances, and .925 and .865 by the distance of the vectors.

    Args:
        vectors: int8 [rows of the index, D].
        looks: int8 [2, D], the query's vector and its mirrored one.
        rows: int64 [m].
        mirrored: bool [m], which look each is compared with.
        places: parts of a vector, D / places numbers each, of a square grid in order of row and column.
        apart: float64 [m], to be filled.
    """
    side = 1
    while (side + 1) * (side + 1) <= places:
        side += 1
    size = vectors.shape[1] // places
    look_places = np.empty((2, places, size), np.int8)
    for look in range(2):
        look_places[look] = looks[look].reshape(places, size)
    laid_out, look_squares = lay_out(look_places, side)
    blocks, lanes, numbers = laid_out.shape[0] // 2, laid_out.shape[0] // 2 * PLACES, 2 * laid_out.shape[2]
    by_place = vectors.reshape(vectors.shape[0] * places, size)
    is_whole = (lanes, numbers) == (places, size)
    padded = np.zeros((lanes, numbers), np.int8)
    by_way = np.full((WAYS, side + lanes + side), FAR, np.int32)
    roots = np.empty((2, lanes))
    last = rows.shape[0] - 1
    for pair in range(rows.shape[0]):
        look = blocks if mirrored[pair] else 0
        first, following = rows[pair] * places, rows[min(pair + 1, last)] * places
        if not is_whole:
            padded[:places, :size] = by_place[first : first + places]
        for block in range(blocks):
            start = block * PLACES
            at = side + start
            if is_whole:
                here, then = first + start, following + start
                compare_places(by_place, here, then, laid_out, look_squares, look + block, by_way, at)
            else:
                compare_places(padded, start, start, laid_out, look_squares, look + block, by_way, at)
        apart[pair] = _total(by_way, side, places, roots)


@strict
def _total(by_way: NDArray[np.int32], side: int, places: int, roots: NDArray[np.float64]) -> float:
    """Add up the roots of what each place is apart from the nearest.

    Args:
        by_way: int32 [5, side + lanes + side], squared distances of a vector's places from those beside them in a look,
            `FAR` where there are none, and on either side.
        side: of the grid.
        places: of it.
        roots: float64 [2, places or more], scratch.
    """
    for place in range(places):
        at = side + place
        same = np.sqrt(np.float64(by_way[0, at]))
        in_look = min(min(by_way[1, at], by_way[2, at]), min(by_way[3, at], by_way[4, at]))
        in_vector = min(min(by_way[1, at + 1], by_way[2, at - 1]), min(by_way[3, at + side], by_way[4, at - side]))
        roots[0, place] = np.sqrt(min(same, np.sqrt(np.float64(in_look)) + _STEP))
        roots[1, place] = np.sqrt(min(same, np.sqrt(np.float64(in_vector)) + _STEP))
    total = 0.0
    for place in range(places):
        total += roots[0, place] + roots[1, place]
    return total
