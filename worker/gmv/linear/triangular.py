"""Cholesky's factor of a positive definite matrix, and equations with triangular matrices.

Golub and Van Loan, Matrix Computations, 4th ed., sections 4.2 and 3.1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.linear.matrices import symmetric, table
from gmv.linear.rows import add_multiple, divide


def cholesky(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower triangular L with L L' = the matrix, float64 [p, p].

    Args:
        matrix: float64 [p, p], symmetric to the bit, finite.

    Raises:
        ValueError: it is something else, or not positive definite.
    """
    upper = symmetric(matrix).copy()
    pivot = _factor(upper)
    if pivot < len(upper):
        raise ValueError(f"the matrix is not positive definite: pivot {pivot} of {len(upper)} is {upper[pivot, pivot]}")
    return np.ascontiguousarray(np.triu(upper).T)


def solve_lower(lower: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X with L X = right, float64 [p, q].

    Args:
        lower: float64 [p, p], L; what is above its diagonal is not read.
        right: float64 [p, q].

    Raises:
        ValueError: shapes do not fit, or a number is not finite.
    """
    factor, unknown = _fitting(lower, right)
    _forward(factor, unknown)
    return unknown


def solve_lower_transposed(lower: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X with L' X = right, float64 [p, q]; arguments and errors as those of `solve_lower`."""
    factor, unknown = _fitting(lower, right)
    _backward(factor, unknown)
    return unknown


def _fitting(lower: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    factor, given = table(lower), table(right)
    if factor.shape != (len(given), len(given)):
        raise ValueError(f"a factor of {factor.shape} does not fit a right side of {given.shape}")
    return factor, given.copy()


@strict
def _factor(upper: NDArray[np.float64]) -> int:
    """Turn the upper triangle into L', row by row; return how many pivots were above 0."""
    size: int = upper.shape[0]
    for pivot in range(size):
        if not upper[pivot, pivot] > 0.0:
            return pivot
        root = math.sqrt(upper[pivot, pivot])
        upper[pivot, pivot] = root
        divide(upper[pivot, pivot + 1 :], root)
        for row in range(pivot + 1, size):
            add_multiple(upper[row, row:], -upper[pivot, row], upper[pivot, row:])
    return size


@strict
def _forward(lower: NDArray[np.float64], unknown: NDArray[np.float64]) -> None:
    for row in range(lower.shape[0]):
        for known in range(row):
            add_multiple(unknown[row], -lower[row, known], unknown[known])
        divide(unknown[row], lower[row, row])


@strict
def _backward(lower: NDArray[np.float64], unknown: NDArray[np.float64]) -> None:
    for row in range(lower.shape[0] - 1, -1, -1):
        for known in range(row + 1, lower.shape[0]):
            add_multiple(unknown[row], -lower[known, row], unknown[known])
        divide(unknown[row], lower[row, row])
