"""The linear datamodelling score of gmv and of others, by a generator that is trained on random halves.

A generator is trained on the used images of a seed's split, and draws; the same generator is trained anew on each half
of these images, and asked how well it tells the noise in what was drawn. Scores of training images are judged by how
well their sums order these losses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gmv.experiments.folder import Folder
from gmv.experiments.generators.diffusion.family import Diffusion
from gmv.experiments.images import LabelledImages
from gmv.experiments.laboratory import Laboratory
from gmv.experiments.lds.generator import NAME, fast_generator
from gmv.experiments.lds.judging import Judged, result_of
from gmv.experiments.lds.methods import (
    NEAREST_MAX,
    method_of_patches,
    methods_of_gmv,
    methods_of_gradients,
    methods_of_pixels,
)
from gmv.experiments.lds.results import LDS
from gmv.experiments.lds.retraining import Retraining, losses_of_halves
from gmv.experiments.lds.subsets import random_halves_by_class
from gmv.indexing.progress import Progress
from gmv.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is trained.

    Attributes:
        seeds: one or more, of splits, halves, trainings and noise.
        drawn: generated images.
        subsets: halves, for each seed.
        trainings: of each half; their losses are averaged.
        steps_share: of the generator's steps of training.
    """

    seeds: Sequence[int]
    drawn: int
    subsets: int
    trainings: int
    steps_share: float


def run_lds(
    images: LabelledImages, folder: Folder, settings: Settings, plan: Plan, command: str, progress: Progress
) -> LDS:
    """Train, draw, train on halves, and compare all methods; what is there already is used.

    Args:
        images: the data set.
        folder: to keep everything in.
        settings: of attribution.
        plan: how much is trained.
        command: that makes the same result.
        progress: shows long steps.

    Raises:
        ExperimentRefused: there are too few images, they are of another size than the generator's, a training diverged,
            or what is stored is of another experiment.
    """
    family = fast_generator(images.pixels.shape[1], plan.steps_share)
    laboratory = Laboratory(images, {NAME: family}, folder, settings, plan.drawn, progress)
    judged = [_judged(laboratory, family, folder, seed, plan, progress) for seed in plan.seeds]
    index_id, temperature = laboratory.index.index_id, laboratory.temperature
    return result_of(judged, command, images.name, plan.trainings, index_id, temperature)


def _judged(
    laboratory: Laboratory, family: Diffusion, folder: Folder, seed: int, plan: Plan, progress: Progress
) -> Judged:
    used = laboratory.split(seed).used
    training, drawn = laboratory.images.take(used), laboratory.drawn(NAME, seed)
    generated = LabelledImages("drawn", drawn.pixels, drawn.labels, training.classes)
    masks = random_halves_by_class(training.labels, plan.subsets, seed)
    asked = Retraining(family, NAME, training, generated, seed)
    losses = losses_of_halves(asked, masks, plan.trainings, folder, progress)
    nearest = laboratory.nearest_among(NAME, seed, min(len(used), NEAREST_MAX), used, "used")
    methods = [
        *methods_of_gmv(laboratory.index, nearest, drawn.pixels, training.pixels, used),
        method_of_patches(drawn.pixels, training.pixels, seed, progress),
        *methods_of_gradients(laboratory.network(NAME, seed), generated, training, asked.probes, seed, progress),
        *methods_of_pixels(drawn.pixels, training.pixels, seed),
    ]
    return Judged(seed, masks, losses, methods)
