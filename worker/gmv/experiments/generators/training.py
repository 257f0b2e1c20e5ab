"""The loop that trains any network, and stops where a loss is no number any more."""

import math
from collections.abc import Callable

import torch

from gmv.errors import ExperimentRefused
from gmv.experiments.generators.pixels import to_torch
from gmv.experiments.generators.port import Learner
from gmv.experiments.images import LabelledImages
from gmv.threads import one_thread


def train(
    learner: Learner, images: LabelledImages, seed: int, progress: Callable[[int], None] = lambda _: None
) -> torch.nn.Module:
    """Train a network on images and return it, ready to draw or to recognise.

    The same images, configuration and seed give the same weights on one kind of processor: one thread, and all that is
    random out of the seed.

    Args:
        learner: what to train.
        images: all that it learns from.
        seed: of its first weights, of its batches and of noise.
        progress: called with 1 after each step.

    Raises:
        ExperimentRefused: training diverged.
    """
    pixels, labels = to_torch(images.pixels), torch.from_numpy(images.labels)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        training = learner.training(images.shape, images.classes)
        for step in range(learner.length.steps):
            rows = torch.randint(len(pixels), (learner.length.images,))
            _check(training.step(pixels[rows], labels[rows]), learner.name, step, seed)
            progress(1)
        return training.network().eval().requires_grad_(False)


def _check(losses: dict[str, torch.Tensor], name: str, step: int, seed: int) -> None:
    for loss, value in losses.items():
        if not math.isfinite(value.item()):
            raise ExperimentRefused(
                f"training of {name} (seed {seed}) diverged at step {step:,}: its loss {loss} is {value.item()}; take "
                "a lower learning rate, or look for images that are no images"
            )
