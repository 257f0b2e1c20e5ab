"""The Frechet distance between two sets of features, taken as Gaussians: the formula of FID (arXiv:1706.08500)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, eigvalsh


@dataclass(frozen=True, slots=True)
class Moments:
    """The Gaussian of a set of features.

    Attributes:
        mean: float64 [d].
        covariance: float64 [d, d].
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def moments(features: NDArray[np.float64]) -> Moments:
    """Return mean and unbiased covariance of features, float64 [n, d], n at least 2."""
    return Moments(features.mean(0), np.atleast_2d(np.cov(features.T)))


def frechet_distance(one: Moments, other: Moments) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0: the squared Wasserstein distance of order 2.

    The trace of (C1 C2)^(1/2) is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric:
    so nothing becomes complex where features vary in fewer than d directions, as it does with a root of the product.
    """
    eigenvalues, vectors = eigh(one.covariance)
    root = (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T
    common = np.sqrt(np.maximum(eigvalsh(root @ other.covariance @ root), 0)).sum()
    apart = float(((one.mean - other.mean) ** 2).sum())
    return max(0.0, float(apart + np.trace(one.covariance) + np.trace(other.covariance) - 2 * common))
