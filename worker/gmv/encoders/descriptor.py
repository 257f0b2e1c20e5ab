"""The former descriptor, in floats: what indexes that an earlier gmv built were made by. None is learnt any more.

A dictionary of whitened 6 x 6 patches (Coates, Lee and Ng, AISTATS 2011), pooled on a grid, then half-whitened
principal components. On CIFAR-10, C1@10 is .488 by the global vector and .505 after exact W1 on the tokens (chance
.10); a SimCLR network with 8 minutes of training on the same processor reaches .465.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from gmv.encoders.dictionary import resemblance
from gmv.encoders.patches import Whitening, normalised_patches, patches_per_side
from gmv.encoders.port import Encoder, Features
from gmv.encoders.projection import Projection, unit_length
from gmv.encoders.working_size import to_working_size

KIND = "fitted-descriptor/1"
GRID = 8
"""Cells along a side: an image has GRID x GRID tokens."""

STRIDE = 2
POSITION_WEIGHT = 2.0
"""Of (row, column) in [0, 1) against a token of length 1. On CIFAR-10, C1@10 after W1 is .480 without, .499 with 2."""

_VECTOR_POOL = 2  # cells to one, along a side: the global vector sees 4 x 4


@dataclass(frozen=True, slots=True)
class Parameters:
    """All that the corpus taught.

    Attributes:
        working_size: pixels along a side, to which every image is brought.
        whitening: of patches, p = 108.
        atoms: float32 [K, p], K <= 400.
        cells: of pooled activations, K to c <= 64.
        token: of cells, c to at most 62; a position of 2 is appended.
        vector: of 4 x 4 pooled cells, 16 c to D <= 256.
    """

    working_size: int
    whitening: Whitening
    atoms: Tensor
    cells: Projection
    token: Projection
    vector: Projection


class FittedDescriptor(Encoder):
    """An `Encoder`. Images are encoded one by one, so that no batch changes a bit.

    That holds as long as torch takes one thread, which every command of gmv sees to (`gmv.threads`): on some
    processors, those with AMX among them, torch's products have other last bits with two threads than with one.
    """

    def __init__(self, encoder_id: str, parameters: Parameters) -> None:
        self._encoder_id = encoder_id
        self._parameters = parameters

    @property
    @override
    def encoder_id(self) -> str:
        return self._encoder_id

    @property
    @override
    def vector_size(self) -> int:
        return self._parameters.vector.matrix.shape[1]

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return GRID * GRID, self._parameters.token.matrix.shape[1] + 2

    @torch.inference_mode()
    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        """Return tokens rounded to what float16 holds, as the index stores them.

        So an exact copy of a training image is at distance 0 from it.
        """
        vectors = np.empty((len(images), self.vector_size), np.float32)
        tokens = np.empty((len(images), *self.tokens_shape), np.float32)
        for place, image in enumerate(images):
            vector, token_set = self._encode_one(image)
            vectors[place] = vector.numpy()
            tokens[place] = token_set.numpy()
        return Features(vectors, tokens)

    @torch.inference_mode()
    def tokens_on(self, image: NDArray[np.uint8], grid: int) -> NDArray[np.float32]:
        """Return the tokens of a grid x grid division: float32 [grid x grid, d]; `encode` uses one of `GRID`."""
        tokens: NDArray[np.float32] = self._tokens(self._cells(image, grid), grid).numpy()
        return tokens

    def _encode_one(self, image: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        cells = self._cells(image, GRID)
        vector = unit_length(self._parameters.vector.apply(pooled_cells(cells).unsqueeze(0)))[0]
        return vector, self._tokens(cells, GRID)

    def _cells(self, image: NDArray[np.uint8], grid: int) -> Tensor:
        parameters = self._parameters
        pixels = torch.from_numpy(np.array(to_working_size(image, parameters.working_size)))
        return parameters.cells.apply(pooled_activations(pixels, parameters.whitening, parameters.atoms, grid))

    def _tokens(self, cells: Tensor, grid: int) -> Tensor:
        tokens = torch.cat([unit_length(self._parameters.token.apply(cells)), positions(grid)], dim=1)
        return tokens.half().float()


def pooled_activations(image: Tensor, whitening: Whitening, atoms: Tensor, grid: int = GRID) -> Tensor:
    """Return how far each cell of the grid resembles each atom.

    Args:
        image: uint8 [side, side, 3].
        whitening: of patches.
        atoms: float32 [K, p].
        grid: cells along a side.

    Returns:
        float32 [grid x grid, K]: the square root of activations averaged over a cell, which tames the few large ones.
    """
    activations = resemblance(whitening.apply(normalised_patches(image, STRIDE)), atoms)
    side = patches_per_side(image.shape[0], STRIDE)
    maps = activations.T.reshape(1, len(atoms), side, side)
    return F.adaptive_avg_pool2d(maps, grid).flatten(2)[0].T.sqrt()


def pooled_cells(cells: Tensor) -> Tensor:
    """Average float32 [GRID x GRID, c] over 2 x 2 cells each and lay them out as one vector, [16 c]."""
    maps = cells.T.reshape(1, -1, GRID, GRID)
    return F.avg_pool2d(maps, _VECTOR_POOL).flatten()


@cache
def positions(grid: int) -> Tensor:
    """Return where the cells of a grid x grid division are: float32 [grid x grid, 2], from 0 to `POSITION_WEIGHT`."""
    steps = torch.arange(grid) / grid * POSITION_WEIGHT
    return torch.cartesian_prod(steps, steps)
