"""What simpler measures give owners, to be compared with gmv's."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gmv.experiments.owners.dividing import Division


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
    asked, known = (each.reshape(len(each), -1).astype(np.float64) for each in (generated, division.images.pixels))
    nearest = np.argsort(cdist(asked, known), axis=1, kind="stable")[:, :contributors]
    return np.bincount(division.owner_of[nearest].ravel(), minlength=len(division.holdings)).astype(np.float64)
