"""RA1: what a generator draws is nearer, by W1, to the images it was trained on than to others like them.

The nearest of v1 and the nearest of v2 are found for each generated image, by exact W1 against all of them. A test over
generated images would ask too little: many of them share their nearest, so that one lucky split would look certain.
Training images are what is exchangeable if nothing was learnt from v1 in particular, so their parts are permuted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmv.errors import ExperimentRefused
from gmv.experiments.attributing import Nearest
from gmv.experiments.laboratory import Laboratory
from gmv.experiments.splits import Split
from gmv.experiments.statistics import Interval, Null, judge_null, over_seeds

NEIGHBOURS = 40
"""Where neither part is favoured, all of so many nearest are of one part for 2^-39 of the generated images."""

PERMUTATIONS = 2_000
NULL_REPETITIONS = 20
_QUANTILES = tuple(percent / 100 for percent in range(0, 101, 5))


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near generated images are to two parts of the training images.

    Attributes:
        v1_mean, v2_mean: means of the distance to the nearest of each part.
        nearer_to_v1: share of generated images whose nearest is of v1; by chance half.
        difference: v2's mean less v1's: above 0 where v1 is nearer.
        z: the difference in standard deviations of what permuted parts give, from their mean.
        p: share of permuted parts whose difference is as far from their mean, or further.
    """

    v1_mean: float
    v2_mean: float
    nearer_to_v1: float
    difference: float
    z: float
    p: float


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed: v1 against v2, and the distances' quantiles for a figure such as the poster's Figure 1."""

    seed: int
    used: Nearness
    v1_quantiles: tuple[float, ...]
    v2_quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GeneratorResult:
    """A generator, over all seeds.

    Attributes:
        generator: its name.
        v1_mean, v2_mean, nearer_to_v1, effect: over seeds; the effect is z.
        p: the largest of all seeds.
        n1, n2: training images of each part.
        seeds: one by one.
        null: random halves of images of which none is used, compared likewise.
    """

    generator: str
    v1_mean: Interval
    v2_mean: Interval
    nearer_to_v1: Interval
    effect: Interval
    p: float
    n1: int
    n2: int
    seeds: tuple[SeedResult, ...]
    null: Null


@dataclass(frozen=True, slots=True)
class RA1:
    """The experiment's result; `command` makes it again."""

    experiment: str
    command: str
    dataset: str
    images: int
    drawn: int
    permutations: int
    quantiles: tuple[float, ...]
    index_id: str
    generators: tuple[GeneratorResult, ...]


def run_ra1(laboratory: Laboratory, seeds: Sequence[int], drawn: int, command: str) -> RA1:
    """Run the experiment on each of a laboratory's generators; see `run_ra2`."""
    laboratory.train(seeds)
    generators = tuple(_generator(laboratory, name, seeds) for name in laboratory.families)
    return RA1(
        "ra1",
        command,
        laboratory.images.name,
        len(laboratory.images),
        drawn,
        PERMUTATIONS,
        _QUANTILES,
        laboratory.index.index_id,
        generators,
    )


def _generator(laboratory: Laboratory, name: str, seeds: Sequence[int]) -> GeneratorResult:
    results: list[SeedResult] = []
    null: list[float] = []
    for seed in seeds:
        parts = laboratory.split(seed)
        results.append(_seed(laboratory, name, seed, parts))
        null += _null_p_values(laboratory, name, seed, parts)
    used = [each.used for each in results]
    return GeneratorResult(
        name,
        over_seeds([each.v1_mean for each in used]),
        over_seeds([each.v2_mean for each in used]),
        over_seeds([each.nearer_to_v1 for each in used]),
        over_seeds([each.z for each in used]),
        max(each.p for each in used),
        len(parts.used),
        len(parts.unused),
        tuple(results),
        judge_null(null),
    )


def _seed(laboratory: Laboratory, name: str, seed: int, parts: Split) -> SeedResult:
    both = np.union1d(parts.used, parts.unused)
    nearest = laboratory.nearest_among(name, seed, NEIGHBOURS, both, "used-and-unused")
    random = np.random.default_rng([seed, 1])
    is_v1 = np.zeros(len(laboratory.images), np.bool_)
    is_v1[parts.used] = True
    v1, v2 = distances_to_parts(nearest, is_v1)
    quantiles = (tuple(np.quantile(each, _QUANTILES).tolist()) for each in (v1, v2))
    return SeedResult(seed, nearness(nearest, is_v1, both, random), *quantiles)


def _null_p_values(laboratory: Laboratory, name: str, seed: int, parts: Split) -> list[float]:
    unused = np.union1d(parts.unused, parts.control)
    nearest = laboratory.nearest_among(name, seed, NEIGHBOURS, unused, "unused")
    random = np.random.default_rng([seed, 2])
    permuted = permuted_differences(nearest, unused, PERMUTATIONS + NULL_REPETITIONS, random)
    return [_two_sided(each, permuted[NULL_REPETITIONS:])[1] for each in permuted[:NULL_REPETITIONS]]


def nearness(
    nearest: Nearest, is_v1: NDArray[np.bool_], both: NDArray[np.int64], random: np.random.Generator
) -> Nearness:
    """Compare the distances of generated images to two parts of the training images.

    Args:
        nearest: of each generated image among both parts, enough that one of each part is there.
        is_v1: bool [training images], which of them are v1.
        both: rows of v1 and v2.
        random: of the permutations.
    """
    v1, v2 = distances_to_parts(nearest, is_v1)
    difference = float((v2 - v1).mean())
    z, p = _two_sided(difference, permuted_differences(nearest, both, PERMUTATIONS, random, int(is_v1[both].sum())))
    return Nearness(float(v1.mean()), float(v2.mean()), float((v1 < v2).mean()), difference, z, p)


def distances_to_parts(nearest: Nearest, is_v1: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance of each generated image to the nearest of v1 and of all others, float64 [events] each.

    Raises:
        ExperimentRefused: of the nearest that were found, none is of one of the parts.
    """
    of_v1 = is_v1[nearest.rows] & (nearest.rows >= 0)
    of_v2 = ~is_v1[nearest.rows] & (nearest.rows >= 0)
    if not (of_v1.any(1) & of_v2.any(1)).all():
        raise ExperimentRefused(
            f"a generated image has its {nearest.rows.shape[1]} nearest in one part of the images: the generator "
            "repeats what it was shown, or there are too few images"
        )
    events = np.arange(len(nearest.rows))
    return nearest.distances[events, of_v1.argmax(1)], nearest.distances[events, of_v2.argmax(1)]


def permuted_differences(
    nearest: Nearest, both: NDArray[np.int64], count: int, random: np.random.Generator, v1_size: int | None = None
) -> NDArray[np.float64]:
    """Return v2's mean distance less v1's where the parts are drawn at random, float64 [count].

    Of an event all of whose neighbours fall in one part, the last of them stands for the other, which is no nearer.

    Args:
        nearest: of each generated image among both parts.
        both: rows of both.
        count: of random parts.
        random: of the parts.
        v1_size: images in the first; None: half.
    """
    size = len(both) // 2 if v1_size is None else v1_size
    place_of = np.full(int(both.max()) + 2, len(both))  # the last: of the row -1, which stands for none
    place_of[both] = np.arange(len(both))
    places, events = place_of[nearest.rows], np.arange(len(nearest.rows))
    differences = np.empty(count)
    is_v1 = np.zeros(len(both) + 1, np.bool_)
    last = np.isfinite(nearest.distances).sum(1) - 1
    for number in range(count):
        is_v1[:] = False
        is_v1[random.permutation(len(both))[:size]] = True
        found = is_v1[places]
        v1 = np.where(found.any(1), found.argmax(1), last)
        v2 = np.where(found.all(1), last, found.argmin(1))
        differences[number] = (nearest.distances[events, v2] - nearest.distances[events, v1]).mean()
    return differences


def _two_sided(difference: float, permuted: NDArray[np.float64]) -> tuple[float, float]:
    """Return z and p of a difference among those of permuted parts; p counts the difference itself."""
    centre, deviation = permuted.mean(), permuted.std(ddof=1)
    further = np.abs(permuted - centre) >= abs(difference - centre)
    z = float((difference - centre) / deviation) if deviation else 0.0
    return z, float((1 + further.sum()) / (1 + len(permuted)))
