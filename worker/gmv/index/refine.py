"""Ordering pairs of row and look by their vectors, which say more than codes do and take longer to read."""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict


@strict
def refine(
    vectors: NDArray[np.int8],
    looks: NDArray[np.int8],
    rows: NDArray[np.int64],
    mirrored: NDArray[np.bool_],
    places: int,
    apart: NDArray[np.float64],
) -> None:
    """Say how far apart a query's looks and rows are: the sum over places of the root of the distance there.

    It stands for W1 of the tokens, which it never sees: the ten nearest by W1 of 49,500 images are among the first 100
    of 1,000 for .955 by it, for .947 by the sum of distances, and for .930 by the distance of the vectors as they are.
    A part of an image that was painted over weighs less in it.

    Args:
        vectors: int8 [rows of the index, D].
        looks: int8 [2, D], the query's vector and its mirrored one.
        rows: int64 [m].
        mirrored: bool [m], which look each is compared with.
        places: parts of a vector, D / places numbers each.
        apart: float64 [m], to be filled.
    """
    size = vectors.shape[1] // places
    for pair in range(rows.shape[0]):
        vector, look = vectors[rows[pair]], looks[1 if mirrored[pair] else 0]
        total = 0.0
        for place in range(places):
            here, there = vector[place * size : (place + 1) * size], look[place * size : (place + 1) * size]
            square = np.int32(0)
            for number in range(here.shape[0]):
                off = np.int32(np.int32(here[number]) - np.int32(there[number]))
                square = np.int32(square + off * off)
            total += np.sqrt(np.sqrt(np.float64(square)))
        apart[pair] = total
