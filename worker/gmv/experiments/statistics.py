"""The tests by which an experiment is judged, with effect sizes and intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.01
"""Significance level of the poster."""

_CONFIDENCE = 0.95

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two samples of values, compared as the poster's Table 1 does.

    Attributes:
        v1_mean, v2_mean: of the values.
        ratio: of the means; None where v2's is 0.
        t: of Student's test with pooled variance, two-sided; above 0 where v1's mean is.
        p: its p-value.
        welch_p: without assuming equal variances.
        effect: Cohen's d, the difference in pooled standard deviations.
        difference_low, difference_high: its 95 % interval, in the values' unit.
        n1, n2: how many there are.
    """

    v1_mean: float
    v2_mean: float
    ratio: float | None
    t: float
    p: float
    welch_p: float
    effect: float
    difference_low: float
    difference_high: float
    n1: int
    n2: int


def compare(v1: Values, v2: Values) -> Comparison:
    """Compare two samples of at least two values each; where all values are the same, nothing differs: p is 1."""
    n1, n2 = len(v1), len(v2)
    difference = float(v1.mean() - v2.mean())
    pooled = math.sqrt(((n1 - 1) * v1.var(ddof=1) + (n2 - 1) * v2.var(ddof=1)) / (n1 + n2 - 2))
    ratio = float(v1.mean() / v2.mean()) if v2.mean() else None
    if pooled == 0:
        t, p, welch, effect = (
            (0.0, 1.0, 1.0, 0.0)
            if difference == 0
            else (math.copysign(math.inf, difference), 0.0, 0.0, math.copysign(math.inf, difference))
        )
        return Comparison(
            float(v1.mean()), float(v2.mean()), ratio, t, p, welch, effect, difference, difference, n1, n2
        )
    test, welch = stats.ttest_ind(v1, v2), stats.ttest_ind(v1, v2, equal_var=False)
    low, high = test.confidence_interval(_CONFIDENCE)
    return Comparison(
        float(v1.mean()),
        float(v2.mean()),
        ratio,
        float(test.statistic),
        float(test.pvalue),
        float(welch.pvalue),
        difference / pooled,
        float(low),
        float(high),
        n1,
        n2,
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds; the ends are of its 95 % interval by Student's t, None of a single seed."""

    mean: float
    low: float | None
    high: float | None


def over_seeds(figures: Sequence[float]) -> Interval:
    """Return the mean of one figure per seed, with its interval."""
    mean = float(np.mean(figures))
    if len(figures) < 2:
        return Interval(mean, None, None)
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, len(figures) - 1) * np.std(figures, ddof=1) / math.sqrt(len(figures))
    return Interval(mean, mean - float(half), mean + float(half))


@dataclass(frozen=True, slots=True)
class Null:
    """Comparisons of two samples between which there is no difference: how often they find one all the same.

    Attributes:
        repetitions: comparisons made.
        rejections: of them, with a p-value below the level.
        level: at which that many would be `level * repetitions`.
        p: of a binomial test: how likely as many or more are, where each is rejected with that probability.
    """

    repetitions: int
    rejections: int
    level: float
    p: float


def judge_null(p_values: Sequence[float], level: float = LEVEL) -> Null:
    """Count the rejections among comparisons that should show nothing."""
    rejections = sum(p < level for p in p_values)
    tail = stats.binomtest(rejections, len(p_values), level, alternative="greater").pvalue if p_values else 1.0
    return Null(len(p_values), rejections, level, float(tail))


def random_halves(rows: NDArray[np.int64], random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows in two parts of equal size, at random; of an odd number, one row is in none."""
    mixed = random.permutation(rows)
    half = len(rows) // 2
    return mixed[:half], mixed[half : 2 * half]
