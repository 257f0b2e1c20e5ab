"""Random halves of the training images."""

import numpy as np
from numpy.typing import NDArray


def random_halves_by_class(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.bool_]:
    """Return which images each half holds, bool [count, images]: of each class half, rounded down.

    All halves are of the same size in all classes, as in D-TRAK's benchmark (arXiv:2311.00500): what a subset lacks is
    images, and not a class.

    Args:
        labels: int64 [images].
        count: of halves.
        seed: of the choice.
    """
    random = np.random.default_rng([seed, 64])
    masks = np.zeros((count, len(labels)), np.bool_)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for mask in masks:
        for rows in classes:
            mask[random.permutation(rows)[: len(rows) // 2]] = True
    return masks
