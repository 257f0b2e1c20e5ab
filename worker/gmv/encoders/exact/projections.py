"""Learning projections that are closed under mirroring: components are symmetric or turn their sign, each by itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.integer_projection import IntegerProjection
from gmv.encoders.mirror import Half, Mirror
from gmv.linear.eigen import eigh, generalised_eigh

Doubles = NDArray[np.float64]

_SCALE_SHARE = 0.9999  # of numbers are not cut off by the scale that they are given
_RANK_TOLERANCE = 1e-9  # of the largest eigenvalue


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over samples of integers: exact, and so the same in any order.

    Attributes:
        count: of samples.
        sums: float64 [p].
        second: float64 [p, p], sums of products.
    """

    count: int
    sums: Doubles
    second: Doubles

    @classmethod
    def of(cls, samples: NDArray[np.int8] | NDArray[np.int64] | NDArray[np.float32]) -> "Moments":
        """Add up [n, p] integers, of which sums of products stay below 2^53."""
        doubles = samples.astype(np.float64)
        return cls(len(doubles), doubles.sum(0), doubles.T @ doubles)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.sums + other.sums, self.second + other.second)

    def mean(self, mirror: Mirror) -> NDArray[np.int64]:
        """Return the rounded mean of the samples and their mirrored images: int64 [p]."""
        both = self.sums + mirror.signs * self.sums[mirror.permutation]
        return np.rint(both / (2 * self.count)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Components:
    """Directions, the most telling first.

    Attributes:
        values: float64 [q], their eigenvalues.
        matrix: float64 [p, q].
        signs: int8 [q], -1 where mirroring turns the sign.
    """

    values: Doubles
    matrix: Doubles
    signs: NDArray[np.int8]

    def scaled(self, power: float) -> "Components":
        """Return directions times their eigenvalues to a power of a quarter, a half, or 0, either sign."""
        roots = {0.0: np.ones_like(self.values), 0.25: np.sqrt(np.sqrt(self.values)), 0.5: np.sqrt(self.values)}
        scale = roots[abs(power)]
        return Components(self.values, self.matrix * (scale if power >= 0 else 1 / scale), self.signs)

    def by_sign(self) -> "Components":
        """Return those that mirroring leaves as they are before the others, else in the same order."""
        order = np.argsort(-self.signs, kind="stable")
        return Components(self.values[order], self.matrix[:, order], self.signs[order])

    def projection(self, mean: NDArray[np.int64], largest: int) -> IntegerProjection:
        """Round to integers of up to `largest`, by one scale."""
        peak = float(np.abs(self.matrix).max()) or 1.0  # of a corpus of flat pictures
        return IntegerProjection(mean, np.rint(self.matrix * (largest / peak)).astype(np.int16), self.signs)


def principal_components(moments: Moments, mirror: Mirror, size: int) -> Components:
    """Return the principal components of samples and their mirrored images together.

    Args:
        moments: of the samples.
        mirror: of their numbers.
        size: components wanted; fewer come back where the samples span fewer, and one at least.
    """
    found = [eigh(_covariance(moments, half, sign)) for sign, half in _halves(mirror)]
    return _largest(found, mirror, size)


def instance_discriminants(moments: Moments, within: Moments, ridge: float, mirror: Mirror, size: int) -> Components:
    """Return the directions in which images differ most, by how much alterations of one image differ in them.

    Linear discriminant analysis with every image a class of its own.

    Args:
        moments: of the samples.
        within: of the differences between a sample and itself altered.
        ridge: added to the within-scatter, times the mean variance of a number.
        mirror: of the samples' numbers.
        size: components wanted; fewer come back where there are fewer.
    """
    totals = [_covariance(moments, half, sign) for sign, half in _halves(mirror)]
    variance = sum(float(np.trace(each)) for each in totals) / len(mirror.signs)
    found = []
    for total, (_, half) in zip(totals, _halves(mirror), strict=True):
        scatter = half.moments(within.second) / within.count
        found.append(generalised_eigh(total, scatter + max(ridge * variance, 1e-6) * np.eye(len(total)), len(total)))
    return _largest(found, mirror, size)


def _halves(mirror: Mirror) -> list[tuple[int, Half]]:
    return [(sign, half) for sign in (1, -1) if len((half := mirror.half(sign)).first)]


def _covariance(moments: Moments, half: Half, sign: int) -> Doubles:
    """Return the covariance in one basis; the mean of what turns its sign is 0, over samples and mirrored images."""
    second = half.moments(moments.second) / moments.count
    if sign < 0:
        return second
    mean = half.sums(moments.sums) / moments.count
    return second - mean[:, np.newaxis] * mean


def _largest(found: list[tuple[Doubles, Doubles]], mirror: Mirror, size: int) -> Components:
    """Merge the components of both bases by eigenvalue; symmetric ones first among equals."""
    halves = _halves(mirror)
    values = np.concatenate([values for values, _ in found])
    whole = [half.expand(vectors, len(mirror.signs)) for (_, vectors), (_, half) in zip(found, halves, strict=True)]
    signs = np.repeat([sign for sign, _ in halves], [len(values) for values, _ in found])
    order = np.argsort(-values, kind="stable")
    rank = int((values > _RANK_TOLERANCE * max(float(values.max()), 0.0)).sum())
    kept = order[: max(1, min(size, rank))]
    return Components(np.maximum(values[kept], 0.0), np.hstack(whole)[:, kept], signs[kept].astype(np.int8))


def most_of(numbers: NDArray[Any]) -> float:
    """Return what nearly all numbers, 0 or above, are at most; 1 at least."""
    flat = numbers.ravel()
    place = int((len(flat) - 1) * _SCALE_SHARE)
    return max(1.0, float(np.partition(flat, place)[place]))
