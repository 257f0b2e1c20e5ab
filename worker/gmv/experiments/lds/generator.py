"""The generator that is trained a hundred times: a diffusion whose network takes seconds."""

import math
from dataclasses import replace
from typing import Final

from gmv.errors import ExperimentRefused
from gmv.experiments.generators.diffusion.dense import DenseSize
from gmv.experiments.generators.diffusion.family import Diffusion
from gmv.experiments.generators.diffusion.process import ddim

NAME: Final = "dense-diffusion"
SIDE: Final = 8

_DENSE: Final = Diffusion(
    DenseSize(width=128, blocks=3),
    process_steps=400,
    label_dropout=0.1,
    learning_rate=2e-3,
    decay=0.995,
    steps=1_000,  # 4 s of a busy core; two trainings of 2,500 steps order halves no more alike (.65, and .67 here)
    batch=128,
    sampling=ddim(50, guidance=0.0),
)


def fast_generator(side: int, steps_share: float) -> Diffusion:
    """Return the configuration of the generator.

    Args:
        side: of images, in pixels.
        steps_share: of its steps of training; there is one at least.

    Raises:
        ExperimentRefused: it is not made for such images, or there is no such share.
    """
    if side != SIDE:
        raise ExperimentRefused(
            f"images of {side} x {side} pixels: the generator that is trained on every half is made for {SIDE} x "
            f"{SIDE}; train others elsewhere, and give their losses with --losses"
        )
    if not math.isfinite(steps_share):
        raise ExperimentRefused(
            f"--steps-share {steps_share} is no share of the training; 1 is all of it, 0.1 for a look"
        )
    return replace(_DENSE, steps=max(1, round(steps_share * _DENSE.steps)))
