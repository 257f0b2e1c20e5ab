"""A histogram of Prometheus, read off a worker's metrics: what was observed between two looks, and its quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Metric


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations in buckets.

    Attributes:
        bounds: upper bound of each bucket, ascending; the last is infinite.
        counts: how many are at or below each bound.
        sum_: of the observations.
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    sum_: float

    @property
    def count(self) -> float:
        """How many observations there are."""
        return self.counts[-1]

    @property
    def mean(self) -> float:
        """Of the observations; 0 where there are none."""
        return self.sum_ / self.count if self.count else 0.0

    def since(self, earlier: "Histogram") -> "Histogram":
        """Return what was observed after an earlier look."""
        counts = tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True))
        return Histogram(self.bounds, counts, self.sum_ - earlier.sum_)

    def quantile(self, share: float) -> float:
        """Return what `histogram_quantile` of Prometheus gives: a straight line within the bucket.

        The first bucket begins at 0; of what is beyond the last finite bound no more is known than that
        (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).

        Args:
            share: within (0, 1).

        Raises:
            ValueError: there are no observations.
        """
        if not self.count:
            raise ValueError("a histogram without observations has no quantiles")
        rank = share * self.count
        place = next(number for number, count in enumerate(self.counts) if count >= rank)
        if place == len(self.bounds) - 1:
            return self.bounds[-2]
        lower, below = (self.bounds[place - 1], self.counts[place - 1]) if place else (0.0, 0.0)
        return lower + (self.bounds[place] - lower) * (rank - below) / (self.counts[place] - below)


def histogram_of(family: Metric, **labels: str) -> Histogram:
    """Read the one histogram of a family that has these labels."""
    samples = [each for each in family.samples if labels.items() <= each.labels.items()]
    buckets = sorted((float(each.labels["le"]), each.value) for each in samples if each.name.endswith("_bucket"))
    (sum_,) = (each.value for each in samples if each.name.endswith("_sum"))
    return Histogram(tuple(bound for bound, _ in buckets), tuple(count for _, count in buckets), sum_)


def together(histograms: Sequence[Histogram]) -> Histogram:
    """Add up histograms of several workers, of which there is at least one; their bounds are the same."""
    first, *others = histograms
    counts = first.counts
    for other in others:
        counts = tuple(ours + theirs for ours, theirs in zip(counts, other.counts, strict=True))
    return Histogram(first.bounds, counts, sum(each.sum_ for each in histograms))
