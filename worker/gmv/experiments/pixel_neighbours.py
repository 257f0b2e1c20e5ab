"""The nearest by pixels alone: what any other distance has to be better than."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist


def nearest_by_pixels(asked: NDArray[np.uint8], known: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Return the rows of the nearest by Euclidean distance of pixels, int64 [asked, count]; ties by row.

    Args:
        asked: uint8 [asked, side, side, channels].
        known: uint8 [known, side, side, channels].
        count: of the nearest.
    """
    flat = (each.reshape(len(each), -1).astype(np.float64) for each in (asked, known))
    return np.argsort(cdist(*flat, "sqeuclidean"), axis=1, kind="stable")[:, :count]
