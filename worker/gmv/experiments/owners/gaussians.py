"""The fast generator: a Gaussian of each class, shrunk towards what all classes share; trained in closed form."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PRIOR_IMAGES: Final = 10.0


@dataclass(frozen=True, slots=True)
class Gaussians:
    """What has been learnt of each class.

    Attributes:
        means: float64 [classes, d].
        factors: float64 [classes, d, d], lower triangular: the covariance is a factor times its transpose.
        is_known: bool [classes], whether there was an image of the class; of others nothing is drawn.
    """

    means: NDArray[np.float64]
    factors: NDArray[np.float64]
    is_known: NDArray[np.bool_]

    def draw(self, labels: NDArray[np.int64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a latent of each label, float64 [n, d].

        Args:
            labels: int64 [n], of known classes.
            noise: float64 [n, d], of a standard normal distribution; the same noise under other training images gives
                images that differ by what was learnt alone.
        """
        drawn = self.means[labels]
        for label in np.unique(labels):
            chosen = labels == label
            drawn[chosen] += noise[chosen] @ self.factors[label].T
        return drawn


def learn(latents: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> Gaussians:
    """Learn a Gaussian of each class: its mean, and its covariance as far as there are images to tell it.

    With S the sum of squares within a class of n images, over N images in all, the covariance is (S + k C) / (n + k),
    where C = (sum of S + k I) / (N + k) is what all classes share, and k `PRIOR_IMAGES`: Friedman's regularised
    covariances (Regularized Discriminant Analysis, 1989), with weights that are counts of images.

    Args:
        latents: float64 [N, d], of about unit variance; N may be 0.
        labels: int64 [N].
        classes: how many there are.
    """
    size = latents.shape[1]
    means, squares, counts = np.zeros((classes, size)), np.zeros((classes, size, size)), np.zeros(classes)
    for label in np.unique(labels):
        of_class = latents[labels == label]
        means[label], counts[label] = of_class.mean(0), len(of_class)
        differences = of_class - means[label]
        squares[label] = differences.T @ differences
    shared = (squares.sum(0) + PRIOR_IMAGES * np.eye(size)) / (len(latents) + PRIOR_IMAGES)
    covariances = (squares + PRIOR_IMAGES * shared) / (counts + PRIOR_IMAGES)[:, None, None]
    return Gaussians(means, np.linalg.cholesky(covariances), counts > 0)
