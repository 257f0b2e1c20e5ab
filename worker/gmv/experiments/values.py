"""From contributors to what each training image is worth: phi_i, the sum of its utilities over generated images."""

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.attributing import Nearest
from gmv.valuation.utility import utilities

POSTER_TEMPERATURE = 1.0


def softmax_values(
    nearest: Nearest, images: int, temperature: float, qualities: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return phi, float64 [images], by the utilities that gmv credits by (`gmv.valuation.utility`).

    Args:
        nearest: contributors of each generated image.
        images: how many training images there are.
        temperature: tau.
        qualities: float64 [events], by which the utilities of each are weighted; None: all are 1.
    """
    values = np.zeros(images)
    weights = np.ones(len(nearest.rows)) if qualities is None else qualities
    for rows, distances, quality in zip(nearest.rows, nearest.distances, weights, strict=True):
        found = rows >= 0
        # A training image is a contributor of an event once at most, so that no row is added to twice.
        values[rows[found]] += quality * np.array(utilities(distances[found].tolist(), temperature))
    return values


def hit_counts(nearest: Nearest, images: int) -> NDArray[np.float64]:
    """Return how often each training image is a contributor: what the poster's means look like, float64 [images]."""
    return np.bincount(nearest.rows[nearest.rows >= 0], minlength=images).astype(np.float64)
