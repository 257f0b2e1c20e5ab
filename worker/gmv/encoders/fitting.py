"""Learning the fitted descriptor's parameters from a sample of the corpus."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmv.encoders.descriptor import Parameters, pooled_activations, pooled_cells
from gmv.encoders.dictionary import fit_dictionary
from gmv.encoders.patches import Whitening, fit_whitening, normalised_patches
from gmv.encoders.projection import HALF_WHITENING, NO_WHITENING, Projection, fit_projection
from gmv.encoders.working_size import to_working_size

PATCHES = 100_000
"""Patches that teach whitening and dictionary: 250 per atom."""

CELL_SIZE = 64
TOKEN_SIZE = 62
VECTOR_SIZE = 256
_CELL_IMAGES = 1_500  # that teach the projection of cells: 96,000 samples of 400 numbers, 154 MB


@dataclass(frozen=True, slots=True)
class FittingSettings:
    """What decides the parameters besides the images.

    Attributes:
        images: in the sample, at most.
        working_size: see `Parameters`.
        seed: of the choice of patches and of k-means.
    """

    images: int = 4_000
    working_size: int = 32
    seed: int = 0


@torch.inference_mode()
def fit_descriptor(images: Iterable[NDArray[np.uint8]], settings: FittingSettings) -> Parameters:
    """Learn the parameters; the same images in the same order give the same bits on one machine.

    A small corpus gets a smaller descriptor: as many patches per image as it takes, one atom per 10 patches, and
    only as many components as the sample spans (one image: a global vector of 1 number, always 0).

    Args:
        images: uint8 [height, width, 3] each, at least one.
        settings: how to learn.
    """
    sample = [torch.from_numpy(np.array(to_working_size(image, settings.working_size))) for image in images]
    patches = _sample_patches(sample, settings.seed)
    whitening = fit_whitening(patches)
    atoms = fit_dictionary(whitening.apply(patches), settings.seed)
    projection = _fit_cells(sample[:_CELL_IMAGES], whitening, atoms)
    cells = torch.stack([projection.apply(pooled_activations(image, whitening, atoms)) for image in sample])
    return Parameters(
        working_size=settings.working_size,
        whitening=whitening,
        atoms=atoms,
        cells=projection,
        token=fit_projection(cells.flatten(0, 1), TOKEN_SIZE, HALF_WHITENING),
        vector=fit_projection(torch.stack([pooled_cells(each) for each in cells]), VECTOR_SIZE, HALF_WHITENING),
    )


def _sample_patches(sample: list[Tensor], seed: int) -> Tensor:
    """Take equally many patches of each image, at places drawn without replacement: float32 [n, p]."""
    draw = np.random.default_rng(seed)
    wanted = -(-PATCHES // len(sample))
    taken = []
    for image in sample:
        patches = normalised_patches(image, stride=1)
        taken.append(patches[torch.from_numpy(draw.permutation(len(patches))[:wanted])])
    return torch.cat(taken)


def _fit_cells(sample: list[Tensor], whitening: Whitening, atoms: Tensor) -> Projection:
    activations = torch.cat([pooled_activations(image, whitening, atoms) for image in sample])
    return fit_projection(activations, CELL_SIZE, NO_WHITENING)
