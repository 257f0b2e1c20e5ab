"""The product of two matrices of float64, each sum taken in one order; BLAS has an order for each kind of processor."""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.linear.matrices import table
from gmv.linear.rows import add_multiple


def multiply(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return left @ right, float64 [n, m], some four times slower than BLAS.

    Args:
        left: float64 [n, k].
        right: float64 [k, m].

    Raises:
        ValueError: shapes do not fit, or a number is not finite.
    """
    some, others = table(left), table(right)
    if some.shape[1] != len(others):
        raise ValueError(f"matrices of {some.shape} and {others.shape} have no product")
    product = np.zeros((len(some), others.shape[1]))
    _multiply(some, others, product)
    return product


@strict
def _multiply(left: NDArray[np.float64], right: NDArray[np.float64], product: NDArray[np.float64]) -> None:
    for row in range(left.shape[0]):
        for inner in range(left.shape[1]):
            add_multiple(product[row], left[row, inner], right[inner])
