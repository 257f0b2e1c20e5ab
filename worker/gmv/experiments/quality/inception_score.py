"""The Inception Score (arXiv:1606.03498): whether each image is clearly of a class, and all classes are there."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr


def inception_score(probabilities: NDArray[np.float64]) -> float:
    """Return exp of the mean Kullback-Leibler divergence of p(class | image) from p(class): 1 to the number of classes.

    Of all images at once, without the ten parts that some programs average over.

    Args:
        probabilities: float64 [images, classes], each row a distribution.
    """
    return float(np.exp(rel_entr(probabilities, probabilities.mean(0)).sum(1).mean()))
