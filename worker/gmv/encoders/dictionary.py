"""A dictionary of typical patches, and how far a patch resembles each of them."""

import faiss
import numpy as np
import torch
from torch import Tensor

ATOMS = 400
PATCHES_PER_ATOM_MIN = 10
"""Fewer would make atoms out of single patches: a corpus that gives fewer gets a smaller dictionary."""

_PATCHES_PER_ATOM_MAX = 250
_ITERATIONS = 10


def fit_dictionary(patches: Tensor, seed: int) -> Tensor:
    """Choose atoms by k-means.

    Args:
        patches: float32 [n, p], whitened, n >= 1.
        seed: of the first centres.

    Returns:
        float32 [K, p] with K = 400, or n / 10 where that is less, and 1 at least.
    """
    atoms = max(1, min(ATOMS, len(patches) // PATCHES_PER_ATOM_MIN))
    clustering = faiss.Kmeans(
        patches.shape[1],
        atoms,
        niter=_ITERATIONS,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=_PATCHES_PER_ATOM_MAX,
    )
    clustering.train(patches.numpy())
    return torch.from_numpy(np.array(clustering.centroids, np.float32))


def resemblance(patches: Tensor, atoms: Tensor) -> Tensor:
    """Return the triangle activation: by how much an atom is nearer than the mean atom, or 0.

    Args:
        patches: float32 [n, p].
        atoms: float32 [K, p].

    Returns:
        float32 [n, K], >= 0, about half of them 0.
    """
    squares = patches.square().sum(-1, keepdim=True) + atoms.square().sum(-1) - 2 * patches @ atoms.T
    distances = squares.clamp_(min=0).sqrt_()
    return (distances.mean(-1, keepdim=True) - distances).clamp_(min=0)
