"""What simpler measures give owners, to be compared with gmv's."""

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.owners.dividing import Division
from gmv.experiments.pixel_neighbours import nearest_by_pixels


def images_of_owners(division: Division) -> NDArray[np.float64]:
    """Return how many images each owner has, float64 [owners]."""
    return np.bincount(division.owner_of, minlength=len(division.holdings)).astype(np.float64)


def pixel_hits(division: Division, generated: NDArray[np.uint8], contributors: int) -> NDArray[np.float64]:
    """Return how many of the K nearest by Euclidean distance of pixels are each owner's, over all events.

    Args:
        division: whose the training images are.
        generated: uint8 [events, side, side, channels].
        contributors: K.

    Returns:
        float64 [owners].
    """
    nearest = nearest_by_pixels(generated, division.images.pixels, contributors)
    return np.bincount(division.owner_of[nearest].ravel(), minlength=len(division.holdings)).astype(np.float64)
