"""Eigenvalues and eigenvectors of symmetric matrices, with the same bits on every processor.

LAPACK's have other last bits, other signs, and where eigenvalues are close other vectors, on each kind of processor.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gmv.linear.implicit_ql import diagonalise
from gmv.linear.matrices import symmetric
from gmv.linear.triangular import cholesky, solve_lower, solve_lower_transposed
from gmv.linear.tridiagonal import reduce_to_tridiagonal

Eigen = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Values, float64 [k], and vectors in columns, float64 [p, k]."""


def eigh(matrix: NDArray[np.float64]) -> Eigen:
    """Return all eigenvalues, largest first, and vectors of length 1 in columns, [p, p].

    Of each vector, the component that is largest in magnitude, the first of equal ones, is positive. Equal values are
    in the order in which they were found. It takes about 10 p^3 operations: for p = 1,024 some seconds.

    Args:
        matrix: float64 [p, p], symmetric to the bit, finite.

    Raises:
        ValueError: it is something else.
        ArithmeticError: the iteration did not settle, which no finite matrix is known to make it.
    """
    checked = symmetric(matrix)
    # Brought to numbers below 1 by a power of two, which rounds nothing: no square overflows.
    exponent = math.frexp(float(np.abs(checked).max()))[1]
    vectors = np.ldexp(checked, -exponent)
    diagonal, beside = np.empty(len(vectors)), np.empty(len(vectors))
    reduce_to_tridiagonal(vectors, diagonal, beside)
    if not diagonalise(diagonal, beside, vectors):
        raise ArithmeticError(f"the eigenvalues of a matrix of {len(vectors)} rows did not settle")
    order = np.argsort(-diagonal, kind="stable")
    return np.ldexp(diagonal[order], exponent), signed(vectors[:, order])


def generalised_eigh(total: NDArray[np.float64], within: NDArray[np.float64], count: int) -> Eigen:
    """Return the largest solutions of total v = lambda within v: values, largest first, and vectors in columns.

    By Cholesky's factor of `within` (Golub and Van Loan, Matrix Computations, 4th ed., section 8.7.2). Vectors are
    orthonormal by it, V' within V = I; signs as of `eigh`.

    Args:
        total: float64 [p, p], symmetric to the bit, finite.
        within: float64 [p, p], likewise, and positive definite.
        count: of solutions, 1 to p.

    Returns:
        float64 [count] and float64 [p, count].

    Raises:
        ValueError: a matrix is something else, or there are not so many solutions.
        ArithmeticError: as of `eigh`.
    """
    if total.shape != within.shape or not 1 <= count <= len(total):
        raise ValueError(f"{count} solutions of matrices of {total.shape} and {within.shape} cannot be had")
    lower = cholesky(within)
    halfway = solve_lower(lower, symmetric(total))
    reduced = solve_lower(lower, halfway.T)
    values, vectors = eigh((reduced + reduced.T) / 2)
    return values[:count], signed(solve_lower_transposed(lower, vectors[:, :count]))


def signed(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn columns round so that their component of largest magnitude, the first of equal ones, is positive."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0, keepdims=True), 0)
    return np.where(largest < 0.0, -vectors, vectors)
