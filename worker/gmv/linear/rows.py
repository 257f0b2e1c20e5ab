"""What is done along a row: the inner loops of this room.

They run over numbers that do not depend on one another, so they are as wide as the processor's registers, without a
bit being different for it; a sum along a row would be added up in an order of its own on each kind of processor.
"""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict


@strict
def add_multiple(into: NDArray[np.float64], factor: float, row: NDArray[np.float64]) -> None:
    """Add factor x row, float64 [p], to a row."""
    for place in range(into.shape[0]):
        into[place] += factor * row[place]


@strict
def divide(row: NDArray[np.float64], divisor: float) -> None:
    """Divide a row, float64 [p]."""
    for place in range(row.shape[0]):
        row[place] /= divisor


@strict
def subtract_two(
    into: NDArray[np.float64],
    first_factor: float,
    first: NDArray[np.float64],
    second_factor: float,
    second: NDArray[np.float64],
) -> None:
    """Subtract first_factor x first + second_factor x second, added up before, so that both may change places."""
    for place in range(into.shape[0]):
        into[place] -= first_factor * first[place] + second_factor * second[place]


@strict
def rotate(low: NDArray[np.float64], high: NDArray[np.float64], cosine: float, sine: float) -> None:
    """Rotate two rows, float64 [p] each, into one another."""
    for place in range(low.shape[0]):
        before = high[place]
        high[place] = sine * low[place] + cosine * before
        low[place] = cosine * low[place] - sine * before
