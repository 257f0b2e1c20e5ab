"""From contributors to what each training image is worth: phi_i, the sum of its utilities over generated images."""

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.attributing import Nearest
from gmv.valuation.utility import utilities

POSTER_TEMPERATURE = 1.0


def shares_of(nearest: Nearest, temperature: float) -> NDArray[np.float64]:
    """Return what each contributor has of its event's credit, float64 [events, K], 0 where there is none.

    By the utilities that gmv credits by (`gmv.valuation.utility`).

    Args:
        nearest: contributors of each generated image.
        temperature: tau.
    """
    shares = np.zeros(nearest.distances.shape)
    for of_event, rows, distances in zip(shares, nearest.rows, nearest.distances, strict=True):
        found = rows >= 0
        of_event[found] = utilities(distances[found].tolist(), temperature)
    return shares


def softmax_values(
    nearest: Nearest, images: int, temperature: float, qualities: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return phi, float64 [images].

    Args:
        nearest: contributors of each generated image.
        images: how many training images there are.
        temperature: tau.
        qualities: float64 [events], by which the utilities of each are weighted; None: all are 1.
    """
    shares, found = shares_of(nearest, temperature), nearest.rows >= 0
    if qualities is not None:
        shares *= qualities[:, np.newaxis]
    return np.asarray(np.bincount(nearest.rows[found], shares[found], minlength=images), np.float64)


def hit_counts(nearest: Nearest, images: int) -> NDArray[np.float64]:
    """Return how often each training image is a contributor: what the poster's means look like, float64 [images]."""
    return np.bincount(nearest.rows[nearest.rows >= 0], minlength=images).astype(np.float64)
