"""Symmetric matrices made tridiagonal by Householder's reflections.

EISPACK's tred2 (Martin, Reinsch and Wilkinson, Numerische Mathematik 11, 1968).
"""

import math

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.linear.rows import add_multiple, subtract_two


@strict
def reduce_to_tridiagonal(
    matrix: NDArray[np.float64], diagonal: NDArray[np.float64], beside: NDArray[np.float64]
) -> None:
    """Write T and turn the matrix A into Q, where A = Q T Q'.

    Args:
        matrix: float64 [p, p], symmetric to the bit, finite, in C order; Q afterwards.
        diagonal: float64 [p], written: that of T.
        beside: float64 [p], written: T's numbers below the diagonal, the last of them 0.
    """
    size = matrix.shape[0]
    heights = np.zeros(size)
    image = np.empty(size)
    for last in range(size - 1, 0, -1):
        heights[last] = _reflect(matrix[last], last, beside)
        if heights[last] > 0.0:
            _update(matrix, matrix[last, :last], heights[last], last, image)
    for place in range(size):
        diagonal[place] = matrix[place, place]
    beside[size - 1] = 0.0
    _accumulate(matrix, heights, image)


@strict
def _reflect(row: NDArray[np.float64], size: int, beside: NDArray[np.float64]) -> float:
    """Replace the first numbers of a row by u, where I - u u' / h turns all of them but the last into 0; return h.

    0 where there is nothing to turn.
    """
    others = 0.0
    for place in range(size - 1):
        others = max(others, abs(row[place]))
    if others == 0.0:
        beside[size - 1] = row[size - 1]
        return 0.0
    scale = max(others, abs(row[size - 1]))
    square = 0.0
    for place in range(size):
        row[place] /= scale
        square += row[place] * row[place]
    near = row[size - 1]
    turned = -math.sqrt(square) if near >= 0.0 else math.sqrt(square)
    beside[size - 1] = scale * turned
    row[size - 1] = near - turned
    height: float = square - near * turned
    return height


@strict
def _update(
    matrix: NDArray[np.float64], reflection: NDArray[np.float64], height: float, size: int, image: NDArray[np.float64]
) -> None:
    """Replace the leading part A, [size, size], by P A P, P = I - u u' / h: A - u q' - q u'."""
    for column in range(size):
        image[column] = 0.0
    for row in range(size):
        add_multiple(image[:size], reflection[row], matrix[row, :size])
    along = 0.0
    for place in range(size):
        image[place] /= height
        along += image[place] * reflection[place]
    along /= height + height
    for place in range(size):
        image[place] -= along * reflection[place]
    for row in range(size):
        subtract_two(matrix[row, :size], reflection[row], image[:size], image[row], reflection)


@strict
def _accumulate(matrix: NDArray[np.float64], heights: NDArray[np.float64], image: NDArray[np.float64]) -> None:
    """Replace the reflections, a row each, by their product: Q = P_{p-1} ... P_1."""
    for size in range(matrix.shape[0]):
        reflection = matrix[size, :size]
        if heights[size] > 0.0:
            for column in range(size):
                image[column] = 0.0
            for row in range(size):
                add_multiple(image[:size], reflection[row], matrix[row, :size])
            for row in range(size):
                add_multiple(matrix[row, :size], -(reflection[row] / heights[size]), image[:size])
        for place in range(size):
            matrix[size, place] = 0.0
            matrix[place, size] = 0.0
        matrix[size, size] = 1.0
