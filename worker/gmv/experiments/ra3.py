"""RA3: images of high value look more like what was generated, in what they mean, than images of low value.

Judged by what gmv does not see: classes, and features that are learnt from the pixels by classes (Fisher's linear
discriminants).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmv.experiments.attributing import Nearest
from gmv.experiments.images import LabelledImages
from gmv.experiments.laboratory import Drawn, Laboratory
from gmv.experiments.ra2 import CONTRIBUTORS
from gmv.experiments.statistics import Interval, over_seeds
from gmv.experiments.values import softmax_values

DECILES = 10
ALIKE = 10
_RIDGE = 0.01
"""Of the mean variance, added to that within classes: pixels that are always black have none."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """One seed.

    Attributes:
        seed: of split, training and noise.
        class_share: of an event's credit, what goes to images of the class that was asked for; by chance one in as many
            as there are classes.
        class_auc: mean over classes of the probability that an image of the class is worth more, to the images
            generated of it, than one of another class; by chance .5.
        decile_alignment: mean alignment of training images by decile of value, least valuable first.
        rank_correlation: Spearman's, of value with alignment.
        p: its p-value, two-sided.
    """

    seed: int
    class_share: float
    class_auc: float
    decile_alignment: tuple[float, ...]
    rank_correlation: float
    p: float


@dataclass(frozen=True, slots=True)
class GeneratorResult:
    """A generator, over all seeds; p is the largest of them."""

    generator: str
    class_share: Interval
    class_auc: Interval
    rank_correlation: Interval
    p: float
    seeds: tuple[Alignment, ...]


@dataclass(frozen=True, slots=True)
class RA3:
    """The experiment's result; `command` makes it again."""

    experiment: str
    command: str
    dataset: str
    images: int
    drawn: int
    contributors: int
    classes: int
    temperature: float
    features: str
    index_id: str
    generators: tuple[GeneratorResult, ...]


def run_ra3(laboratory: Laboratory, seeds: Sequence[int], drawn: int, command: str) -> RA3:
    """Run the experiment on each of a laboratory's generators, at the index's own tau; see `run_ra2`."""
    images = laboratory.images
    laboratory.train(seeds)
    return RA3(
        "ra3",
        command,
        images.name,
        len(images),
        drawn,
        CONTRIBUTORS,
        images.classes,
        laboratory.temperature,
        f"{images.classes - 1} linear discriminants of the pixels",
        laboratory.index.index_id,
        tuple(_generator(laboratory, name, seeds) for name in laboratory.families),
    )


def _generator(laboratory: Laboratory, name: str, seeds: Sequence[int]) -> GeneratorResult:
    found = tuple(
        align(
            seed,
            laboratory.images,
            laboratory.drawn(name, seed),
            laboratory.nearest(name, seed, CONTRIBUTORS),
            laboratory.temperature,
        )
        for seed in seeds
    )
    return GeneratorResult(
        name,
        over_seeds([each.class_share for each in found]),
        over_seeds([each.class_auc for each in found]),
        over_seeds([each.rank_correlation for each in found]),
        max(each.p for each in found),
        found,
    )


def align(seed: int, images: LabelledImages, drawn: Drawn, nearest: Nearest, temperature: float) -> Alignment:
    """Compare what training images are worth with how they are aligned with generated ones, see `alignment`."""
    values = softmax_values(nearest, len(images), temperature)
    aligned = alignment(images, drawn.pixels)
    correlation = stats.spearmanr(values, aligned)
    by_class = [
        softmax_values(_of_events(nearest, drawn.labels == label), len(images), temperature)
        for label in range(images.classes)
    ]
    within = [float(worth[images.labels == label].sum()) for label, worth in enumerate(by_class)]
    return Alignment(
        seed,
        sum(within) / float(values.sum()),
        float(
            np.mean(
                [
                    auc(worth[images.labels == label], worth[images.labels != label])
                    for label, worth in enumerate(by_class)
                ]
            )
        ),
        by_decile(values, aligned),
        float(correlation.statistic),
        float(correlation.pvalue),
    )


def _of_events(nearest: Nearest, chosen: NDArray[np.bool_]) -> Nearest:
    return Nearest(nearest.rows[chosen], nearest.distances[chosen])


def auc(high: NDArray[np.float64], low: NDArray[np.float64]) -> float:
    """Return the probability that one of `high` is above one of `low`; where they are equal, half of it counts."""
    return float(stats.mannwhitneyu(high, low).statistic / (len(high) * len(low)))


def by_decile(values: NDArray[np.float64], figures: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the mean of figures in each tenth of the values, the lowest first; ties are in order of row."""
    tenths = np.array_split(np.argsort(values, kind="stable"), DECILES)
    return tuple(float(figures[rows].mean()) if len(rows) else float("nan") for rows in tenths)


def alignment(images: LabelledImages, drawn: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean cosine of each training image with the `ALIKE` generated images most alike, float64 [images].

    Args:
        images: whose classes decide the features.
        drawn: uint8 [events, side, side, channels].
    """
    pixels = images.pixels.reshape(len(images), -1) / 255.0
    centre, directions = discriminants(pixels, images.labels, images.classes)
    seen = _unit((pixels - centre) @ directions)
    made = _unit((drawn.reshape(len(drawn), -1) / 255.0 - centre) @ directions)
    alike = min(ALIKE, len(made))
    return np.asarray(np.partition(seen @ made.T, -alike, axis=1)[:, -alike:].mean(1))


def discriminants(
    pixels: NDArray[np.float64], labels: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of all images, and Fisher's discriminants: [D] and [D, classes - 1].

    Args:
        pixels: float64 [images, D].
        labels: int64 [images], of each class some.
        classes: how many there are.
    """
    from scipy.linalg import eigh

    means = np.stack([pixels[labels == label].mean(0) for label in range(classes)])
    within = np.cov((pixels - means[labels]).T)
    between = np.cov(means[labels].T)
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    _, directions = eigh(between, within)
    return pixels.mean(0), directions[:, ::-1][:, : classes - 1]


def _unit(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))
