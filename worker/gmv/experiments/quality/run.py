"""How good what generators draw is, beside real images and noise: Frechet distance and Inception Score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.laboratory import Laboratory
from gmv.experiments.quality.frechet import frechet_distance, moments
from gmv.experiments.quality.inception_score import inception_score
from gmv.experiments.quality.recogniser import Recogniser, RecogniserNetwork, accuracy, see
from gmv.experiments.statistics import Interval, over_seeds

USED: Final = "used images themselves"
NOISE: Final = "noise"


@dataclass(frozen=True, slots=True)
class SourceResult:
    """Where images are from, over seeds.

    Attributes:
        source: a generator, or what it is compared with.
        distance: Frechet distance from unused images: of the same distribution, and never trained on.
        score: Inception Score.
    """

    source: str
    distance: Interval
    score: Interval


@dataclass(frozen=True, slots=True)
class Quality:
    """The experiment's result; `command` makes it again.

    Attributes:
        experiment: its name.
        command: that makes it again.
        dataset: its name.
        seeds: of splits, trainings and noise.
        images: of the data set.
        drawn: images that each generator draws.
        classes: the largest score.
        features: what distances are of, in words.
        recognised: share of unused images whose class the features' network tells.
        sources: generators, used images and noise.
    """

    experiment: str
    command: str
    dataset: str
    seeds: tuple[int, ...]
    images: int
    drawn: int
    classes: int
    features: str
    recognised: Interval
    sources: tuple[SourceResult, ...]


def run_quality(laboratory: Laboratory, seeds: Sequence[int], drawn: int, command: str) -> Quality:
    """Run the experiment on each of a laboratory's generators; see `run_ra2`."""
    images = laboratory.images
    laboratory.train(seeds)
    parts = {seed: laboratory.split(seed) for seed in seeds}
    networks = {seed: laboratory.recogniser(seed) for seed in seeds}
    goals = {seed: images.take(parts[seed].unused) for seed in seeds}

    def judged(source: str, pixels: dict[int, NDArray[np.uint8]]) -> SourceResult:
        found = [measure(networks[seed], each, goals[seed].pixels) for seed, each in pixels.items()]
        return SourceResult(source, over_seeds([each[0] for each in found]), over_seeds([each[1] for each in found]))

    return Quality(
        "quality",
        command,
        images.name,
        tuple(seeds),
        len(images),
        drawn,
        images.classes,
        f"{Recogniser().features} features of a small convolutional classifier",
        over_seeds([accuracy(networks[seed], goals[seed]) for seed in seeds]),
        (
            *(
                judged(name, {seed: laboratory.drawn(name, seed).pixels for seed in seeds})
                for name in laboratory.families
            ),
            judged(USED, {seed: images.pixels[parts[seed].used] for seed in seeds}),
            judged(NOISE, {seed: _noise(drawn, images.pixels.shape[1:], seed) for seed in seeds}),
        ),
    )


def measure(network: RecogniserNetwork, pixels: NDArray[np.uint8], goal: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the Frechet distance of images from others, and their own Inception Score.

    Args:
        network: whose features and classes both are of.
        pixels: uint8 [n, side, side, channels].
        goal: uint8 [m, side, side, channels].
    """
    seen, other = see(network, pixels), see(network, goal)
    distance = frechet_distance(moments(seen.features), moments(other.features))
    return distance, inception_score(seen.probabilities)


def _noise(count: int, shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng([seed, 7]).integers(0, 256, (count, *shape), dtype=np.uint8)
