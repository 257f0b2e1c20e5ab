"""The sizes that generators are trained at, by the side of the images."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gmv.errors import ExperimentRefused
from gmv.experiments.generators.biggan.family import BigGAN
from gmv.experiments.generators.biggan.networks import BigGANSize
from gmv.experiments.generators.diffusion.family import Diffusion
from gmv.experiments.generators.diffusion.process import ddim
from gmv.experiments.generators.diffusion.unet import UNetSize
from gmv.experiments.generators.port import Family

DIFFUSIONS: Final[Mapping[int, Diffusion]] = {
    8: Diffusion(
        UNetSize(patch=1, width=24, multipliers=(1, 2), blocks=1, attention=1, dropout=0.0),
        process_steps=400,
        label_dropout=0.1,
        learning_rate=2e-3,
        decay=0.999,
        steps=3_000,  # 217 s of a busy core; drawn digits have their class, and used ones are nearest twice as often
        batch=32,
        sampling=ddim(50, guidance=0.0),
    ),
    32: Diffusion(
        UNetSize(patch=1, width=128, multipliers=(1, 2, 2), blocks=2, attention=2, dropout=0.1),
        process_steps=1_000,
        label_dropout=0.1,
        learning_rate=2e-4,
        decay=0.9999,
        steps=200_000,
        batch=128,
        sampling=ddim(100, guidance=0.3),
    ),
}
"""The larger is of the size of DDPM's for CIFAR-10, and has not been trained: it wants a GPU."""

SMALL_DIFFUSIONS: Final[Mapping[int, Diffusion]] = {
    32: Diffusion(
        # With patches of 4 and a width of 64 it drew hardly more than noise after 4,000 steps: a patch has 48 numbers,
        # too many for that width to tell the noise in them.
        UNetSize(patch=2, width=32, multipliers=(1, 2), blocks=1, attention=1, dropout=0.0),
        process_steps=400,
        label_dropout=0.1,
        learning_rate=2e-3,
        decay=0.999,
        steps=5_000,  # of 166 ms of a core: 14 minutes
        batch=32,
        sampling=ddim(50, guidance=0.0),
    ),
}

BIGGANS: Final[Mapping[int, BigGAN]] = {
    8: BigGAN(
        BigGANSize(
            bottom=2,
            widths=(64, 64, 32),
            discriminator_widths=(32, 64, 64),
            part=12,
            embedding=16,
            attention_side=4,
        ),
        generator_rate=2e-4,
        discriminator_rate=4e-4,
        discriminator_steps=2,
        orthogonality=1e-4,
        decay=0.999,
        # About 600 s of a busy core. On seed 5, which no result is from, used images are worth 1.43 times as much as
        # unused ones after 2,400 steps and 1.53 times after these; after 1,200, one of seeds 0, 1 and 2 showed nothing.
        steps=3_600,
        batch=32,
        truncation=1.0,
    ),
    32: BigGAN(
        BigGANSize(
            bottom=4,
            widths=(256, 256, 256, 256),
            discriminator_widths=(256, 256, 256, 256),
            part=20,
            embedding=128,
            attention_side=16,
        ),
        generator_rate=2e-4,
        discriminator_rate=2e-4,
        discriminator_steps=4,
        orthogonality=1e-4,
        decay=0.9999,
        steps=100_000,
        batch=50,
        truncation=1.0,
    ),
}

SMALL_BIGGANS: Final[Mapping[int, BigGAN]] = {
    32: replace(
        BIGGANS[8],
        size=BigGANSize(
            bottom=4,
            widths=(64, 48, 32, 16),
            discriminator_widths=(16, 32, 48, 64),
            part=12,
            embedding=16,
            attention_side=8,
        ),
        steps=1_200,  # of 410 ms of a core: 8 minutes
    ),
}

GENERATORS: Final = ("biggan", "diffusion")


FULL: Final = "full"
SMALL: Final = "small"
_SIZES: Final[Mapping[str, Mapping[str, Mapping[int, BigGAN] | Mapping[int, Diffusion]]]] = {
    FULL: {"biggan": BIGGANS, "diffusion": DIFFUSIONS},
    SMALL: {"biggan": SMALL_BIGGANS, "diffusion": SMALL_DIFFUSIONS},
}


def family(name: str, side: int, steps_share: float = 1.0, size: str = FULL) -> Family:
    """Return the configuration of a generator for images of a side.

    Args:
        name: of `GENERATORS`.
        side: in pixels.
        steps_share: of the configuration's steps of training; there is one at least.
        size: `FULL`, as in its paper or as small as the images let it be; `SMALL`, for a processor without a GPU.

    Raises:
        ExperimentRefused: there is no generator of that name, no such size for such images, or no such share.
    """
    if name not in GENERATORS:
        raise ExperimentRefused(f"there is no generator {name!r}; there are {' and '.join(GENERATORS)}")
    if size not in _SIZES:
        raise ExperimentRefused(f"there is no size {size!r} of generators; there are {FULL} and {SMALL}")
    sizes = _SIZES[size][name]
    if side not in sizes and side in _SIZES[FULL][name]:
        raise ExperimentRefused(f"{name} has one size for images of {side} x {side} pixels; leave out --size {size}")
    if side not in sizes:
        sides = " or ".join(f"{each} x {each}" for each in sizes)
        raise ExperimentRefused(f"images of {side} x {side} pixels have no size of {name}; bring them to {sides}")
    if not math.isfinite(steps_share):
        raise ExperimentRefused(
            f"--steps-share {steps_share} is no share of the training; 1 is all of it, 0.1 for a look"
        )
    found = sizes[side]
    return replace(found, steps=max(1, round(steps_share * found.steps)))
