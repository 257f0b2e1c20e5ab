"""RA2: images that a generator was trained on are worth more than others of the same distribution.

The poster splits a data set into v1, which is used, and v2, which is not, and compares the means of their values by
Student's t (Table 1). Here there is a third part: it and v2 are both unused, and must not differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.laboratory import Laboratory
from gmv.experiments.splits import Split
from gmv.experiments.statistics import Comparison, Interval, Null, compare, judge_null, over_seeds, random_halves
from gmv.experiments.values import POSTER_TEMPERATURE, hit_counts, softmax_values

CONTRIBUTORS = 10
NULL_REPETITIONS = 20


@dataclass(frozen=True, slots=True)
class PosterRow:
    """A column of the poster's Table 1; its data set and numbers of images are not stated."""

    v1_mean: float
    v2_mean: float
    t: float
    p: float


POSTER: Final = {
    "biggan": PosterRow(1.632352, 0.319654, 17.924512, 6.937027e-68),
    "diffusion": PosterRow(0.369565, 0.030434, 15.947860, 8.053195e-55),
}


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed: its split, training and noise.

    Attributes:
        seed: of all that is random.
        used: v1 against v2.
        null: v2 against the part that is not used either.
    """

    seed: int
    used: Comparison
    null: Comparison


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """One way to value images, over all seeds.

    Attributes:
        measure: "softmax" or "hits".
        temperature: tau of the softmax; None of hits.
        ratio: v1's mean by v2's, over seeds.
        v1_share: of all that images earn, v1's part, over seeds; by chance a third.
        seeds: one by one.
        null: random halves of all unused images, as often for each seed.
    """

    measure: str
    temperature: float | None
    ratio: Interval
    v1_share: Interval
    seeds: tuple[SeedResult, ...]
    null: Null


@dataclass(frozen=True, slots=True)
class GeneratorResult:
    """A generator: first what the poster's Table 1 has, of the softmax at tau = 1.

    Attributes:
        generator: its name.
        v1_mean, v2_mean: means over seeds.
        t, p: of the seed in which the difference is least certain: the largest p, and its t.
        n1, n2: images of each kind, in each seed.
        seeds: of splits, trainings and noise.
        measures: the same by all measures, seed by seed.
        poster: what the poster has of this kind of generator, to be compared by its ratio.
    """

    generator: str
    v1_mean: float
    v2_mean: float
    t: float
    p: float
    n1: int
    n2: int
    seeds: tuple[int, ...]
    measures: tuple[MeasureResult, ...]
    poster: PosterRow | None


@dataclass(frozen=True, slots=True)
class RA2:
    """The experiment's result; `command` makes it again."""

    experiment: str
    command: str
    dataset: str
    images: int
    drawn: int
    contributors: int
    index_id: str
    generators: tuple[GeneratorResult, ...]


def run_ra2(laboratory: Laboratory, seeds: Sequence[int], drawn: int, command: str) -> RA2:
    """Run the experiment on each of a laboratory's generators.

    Args:
        laboratory: trains, draws and attributes.
        seeds: one or more.
        drawn: images that each generator draws.
        command: that makes the same result.
    """
    laboratory.train(seeds)
    generators = tuple(_generator(laboratory, name, seeds) for name in laboratory.families)
    return RA2(
        "ra2",
        command,
        laboratory.images.name,
        len(laboratory.images),
        drawn,
        CONTRIBUTORS,
        laboratory.index.index_id,
        generators,
    )


def _generator(laboratory: Laboratory, name: str, seeds: Sequence[int]) -> GeneratorResult:
    nearest = {seed: laboratory.nearest(name, seed, CONTRIBUTORS) for seed in seeds}
    images = len(laboratory.images)
    measures = [
        *(
            ("softmax", tau, {seed: softmax_values(found, images, tau) for seed, found in nearest.items()})
            for tau in (POSTER_TEMPERATURE, laboratory.temperature)
        ),
        ("hits", None, {seed: hit_counts(found, images) for seed, found in nearest.items()}),
    ]
    splits = {seed: laboratory.split(seed) for seed in seeds}
    results = tuple(measure_values(measure, tau, values, splits) for measure, tau, values in measures)
    first = results[0].seeds
    weakest = max((each.used for each in first), key=lambda used: used.p)
    return GeneratorResult(
        name,
        float(np.mean([each.used.v1_mean for each in first])),
        float(np.mean([each.used.v2_mean for each in first])),
        weakest.t,
        weakest.p,
        weakest.n1,
        weakest.n2,
        tuple(seeds),
        results,
        POSTER.get(name),
    )


def measure_values(
    measure: str, temperature: float | None, values: dict[int, NDArray[np.float64]], splits: dict[int, Split]
) -> MeasureResult:
    """Compare the values of used and unused images, seed by seed.

    Args:
        measure: names how images are valued.
        temperature: tau, where there is one.
        values: by seed, float64 [images].
        splits: by seed.
    """
    compared = tuple(
        SeedResult(
            seed,
            compare(phi[splits[seed].used], phi[splits[seed].unused]),
            compare(phi[splits[seed].unused], phi[splits[seed].control]),
        )
        for seed, phi in values.items()
    )
    shares = [float(phi[splits[seed].used].sum() / phi.sum()) for seed, phi in values.items()]
    return MeasureResult(
        measure,
        temperature,
        over_seeds([np.inf if each.used.ratio is None else each.used.ratio for each in compared]),
        over_seeds(shares),
        compared,
        judge_null([p for seed, phi in values.items() for p in _null_p_values(phi, splits[seed], seed)]),
    )


def _null_p_values(values: NDArray[np.float64], parts: Split, seed: int) -> list[float]:
    """Compare random halves of the unused images, `NULL_REPETITIONS` times."""
    unused, random = np.concatenate([parts.unused, parts.control]), np.random.default_rng([seed, NULL_REPETITIONS])
    halves = (random_halves(unused, random) for _ in range(NULL_REPETITIONS))
    return [compare(values[one], values[other]).p for one, other in halves]
