"""What the functions of this room take: matrices of finite numbers in C order."""

import numpy as np
from numpy.typing import NDArray


def table(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a float64 [p, q] matrix in C order, itself where it is.

    Raises:
        ValueError: it is of another dtype or shape, empty, or has a number that is not finite.
    """
    if matrix.dtype != np.float64 or matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"the matrix is {matrix.dtype} {matrix.shape}, not float64 [p, q] with numbers in it")
    if not np.isfinite(matrix).all():
        raise ValueError("the matrix has a number that is not finite")
    return np.ascontiguousarray(matrix)


def symmetric(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a float64 [p, p] matrix in C order, itself where it is.

    Raises:
        ValueError: as `table`, or it is not symmetric to the bit.
    """
    checked = table(matrix)
    if not np.array_equal(checked, checked.T):
        raise ValueError("the matrix is not symmetric to the bit; take the mean of it and its transpose")
    return checked
