"""The linear datamodelling score (Park et al., TRAK, arXiv:2303.14186), of scores of any origin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RESAMPLES = 2_000
_CONFIDENCE = 0.95
_SAME = 1e-9
"""What sums of equal scores may differ by, relative to the scores: they are added up in another order."""


def datamodelling_scores(
    masks: NDArray[np.bool_], losses: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how well scores order the losses after retraining, for each generated image: float64 [generated].

    That is Spearman's rank correlation, over subsets, of the sum of the scores of the images in a subset with the loss
    that is taken off by training on it: 1 where the order is right, -1 where it is turned round. Scores that say the
    same of all subsets have 0.

    Args:
        masks: bool [subsets, training], which images each subset holds.
        losses: float64 [subsets, generated], of the generator trained on each; lower is better.
        scores: float64 [generated, training]; higher where the image is said to take more off the loss.
    """
    told = scores @ masks.T.astype(np.float64)
    told[np.ptp(told, axis=1) <= _SAME * np.abs(scores).sum(1)] = 0
    return rank_correlations(told, -losses.T)


def rank_correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's rank correlation of each row of one with that row of the other; 0 where a row is constant."""
    ranks = [stats.rankdata(each, axis=1) for each in (one, other)]
    x, y = (each - each.mean(1, keepdims=True) for each in ranks)
    spread = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return np.asarray(np.divide((x * y).sum(1), spread, out=np.zeros(len(x)), where=spread > 0))


@dataclass(frozen=True, slots=True)
class MeanScore:
    """A mean over generated images.

    Attributes:
        seed: of all that is random.
        mean: of them.
        low, high: 95 % of means of as many images, drawn from these with replacement, are between.
    """

    seed: int
    mean: float
    low: float
    high: float


def mean_score(by_image: NDArray[np.float64], seed: int) -> MeanScore:
    """Return the mean over generated images, with its interval by the bootstrap (percentiles of `RESAMPLES`)."""
    random = np.random.default_rng([seed, RESAMPLES])
    drawn = random.integers(0, len(by_image), (RESAMPLES, len(by_image)))
    low, high = np.quantile(by_image[drawn].mean(1), [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return MeanScore(seed, float(by_image.mean()), float(low), float(high))
