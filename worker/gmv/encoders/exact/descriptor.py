"""The exact descriptor: an image encoder learnt without labels from the corpus itself, in integers throughout.

A dictionary of whitened 6 x 6 patches (Coates, Lee and Ng, AISTATS 2011), pooled on a grid; tokens by instance linear
discriminants, the vector by adding up 2 x 2 of them. Every step is a product of small integers, which
is exact, or a division or square root of single numbers, which IEEE 754 rounds the same everywhere, and ends in
integers. So features are the same bits in any batch, by any number of threads and on any processor.
"""

import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.exact.kernels import (
    LARGEST,
    cut_patches,
    pool_activations,
    round_lengths,
    round_products,
    round_roots,
)
from gmv.encoders.exact.parameters import GRID, POOLED_GRID, SIDE, Parameters
from gmv.encoders.mirror import Mirror
from gmv.encoders.port import Features, MirroringEncoder
from gmv.encoders.working_size import to_working_size

KIND = "exact-descriptor/1"

STRIDE = 2
TOKEN_SCALE = 64
"""The length of a token's content, in integers: 1 in the unit of W1."""

POSITION_WEIGHT = 2
"""Of (row, column) in [0, 1) against a token of length 1. On CIFAR-10, C1@10 after W1 is .480 without, .499 with 2."""

_IMAGES_AT_ONCE = 8  # their 1,568 x 400 products take 2.5 MB, about what a core's own cache holds


class ExactDescriptor(MirroringEncoder):
    """A `MirroringEncoder`."""

    def __init__(self, encoder_id: str, parameters: Parameters) -> None:
        """Compile the steps, or load them compiled, so that the first image does not wait for that."""
        self._encoder_id = encoder_id
        self._parameters = parameters
        self._stages = Stages(parameters)
        self._mirror_of_tokens = parameters.mirror_of_tokens
        self._mirror_of_vector = parameters.mirror_of_vector
        self.encode([np.zeros((1, 1, 3), np.uint8)])

    @property
    @override
    def encoder_id(self) -> str:
        return self._encoder_id

    @property
    @override
    def vector_size(self) -> int:
        return POOLED_GRID**2 * self._parameters.place_size

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return GRID * GRID, len(self._parameters.tokens.signs) + 2

    @property
    @override
    def token_scale(self) -> int:
        return TOKEN_SCALE

    @property
    @override
    def vector_mirror(self) -> Mirror:
        return self._mirror_of_vector

    @property
    @override
    def vector_places(self) -> int:
        return POOLED_GRID**2

    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        vectors = np.empty((len(images), self.vector_size), np.int8)
        tokens = np.empty((len(images), *self.tokens_shape), np.int8)
        tokens[:, :, -2:] = positions(GRID)
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            part = slice(start, start + _IMAGES_AT_ONCE)
            sized = np.stack([to_working_size(each, self._parameters.working_size) for each in images[part]])
            tokens[part, :, :-2] = contents = self._stages.contents(self._stages.cells(sized))
            vectors[part] = pooled_contents(contents, self._parameters.place_size)
        return Features(vectors, tokens)

    def tokens_on(self, image: NDArray[np.uint8], grid: int) -> NDArray[np.int8]:
        """Return the tokens of a grid x grid division: int8 [grid x grid, d]; `encode` uses one of `GRID`."""
        sized = to_working_size(image, self._parameters.working_size)[np.newaxis]
        contents = self._stages.contents(self._stages.cells(sized, grid))[0]
        return np.hstack([contents, positions(grid)])

    @override
    def mirrored(self, features: Features) -> Features:
        contents = features.tokens[:, :, :-2].reshape(len(features), -1)
        tokens = features.tokens.copy()
        tokens[:, :, :-2] = self._mirror_of_tokens.apply(contents).reshape(tokens[:, :, :-2].shape)
        return Features(self._mirror_of_vector.apply(features.vectors), tokens)


class Stages:
    """The steps of the descriptor, which fitting takes one by one."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._whitening = as_floats(parameters.whitening)
        self._atoms = as_floats(parameters.atoms)
        self._atom_squares = np.square(self._atoms).sum(1)
        self._scratch = threading.local()

    def activations(self, images: NDArray[np.uint8], grid: int = GRID) -> NDArray[np.int32]:
        """Return how far each cell resembles each atom: int32 [b, grid^2, K] of uint8 [b, size, size, 3]."""
        parameters = self._parameters
        per_side = patches_per_side(images.shape[1])
        patches, whitened, products = self._arrays(len(images) * per_side**2)
        cut_patches(images, SIDE, STRIDE, patches)
        whiten(patches, self._whitening, parameters.whitening_offset, parameters.whitening_factor, whitened)
        np.matmul(whitened, self._atoms.T, products)
        pooled = np.zeros((len(images), grid, grid, len(self._atoms)), np.int32)
        first, last = cells_of_patches(per_side, grid)
        squares = np.einsum("ij,ij->i", whitened, whitened)
        pool_activations(products, squares, self._atom_squares, first, last, pooled)
        return pooled.reshape(len(images), grid * grid, -1)

    def _arrays(self, rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return this thread's arrays for patches, whitened ones and their products: new ones take half as long again.

        The system gives 4 MB anew page by page.
        """
        kept: tuple[NDArray[np.float32], ...] | None = getattr(self._scratch, "arrays", None)
        if kept is None or len(kept[0]) < rows:
            numbers = self._atoms.shape[1]
            kept = tuple(np.empty((rows, size), np.float32) for size in (numbers, numbers, len(self._atoms)))
            self._scratch.arrays = kept
        patches, whitened, products = (each[:rows] for each in kept)
        return patches, whitened, products

    def roots(self, images: NDArray[np.uint8], grid: int = GRID) -> NDArray[np.float32]:
        """Return the rounded roots of activations, less their mean: float32 [b x grid^2, K] of integers."""
        pooled = self.activations(images, grid)
        roots = np.empty((len(images) * grid * grid, pooled.shape[2]), np.float32)
        weights = patches_share(patches_per_side(images.shape[1]), grid)
        round_roots(pooled, weights, self._parameters.cells.mean, self._parameters.roots_factor, roots)
        return roots

    def cells(self, images: NDArray[np.uint8], grid: int = GRID) -> NDArray[np.int8]:
        """Return what is seen in each cell: int8 [b, grid^2, c]."""
        projection = self._parameters.cells
        products = self.roots(images, grid) @ as_floats(projection.matrix)
        round_products(products, _no_offset(products.shape[1]), self._parameters.cells_factor, products)
        return products.astype(np.int8).reshape(len(images), grid * grid, -1)

    def contents(self, cells: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return tokens without their positions: int8 [b, n, t] of int8 [b, n, c]."""
        products = self._parameters.tokens.products(cells.reshape(-1, cells.shape[2]))
        rounded = np.empty(products.shape, np.int8)
        round_lengths(products, TOKEN_SCALE, rounded)
        return rounded.reshape(*cells.shape[:2], -1)


def whiten(
    patches: NDArray[np.float32],
    whitening: NDArray[np.float32],
    offset: NDArray[np.int64],
    factor: float,
    whitened: NDArray[np.float32],
) -> None:
    """Write patches, float32 [n, p] of integers, whitened and rounded: the same."""
    np.matmul(patches, whitening, whitened)
    round_products(whitened, offset, factor, whitened)


def as_floats(integers: NDArray[np.int8] | NDArray[np.int16]) -> NDArray[np.float32]:
    """Return small integers as float32, in which products with others of them are exact."""
    return integers.astype(np.float32)


def pooled_contents(contents: NDArray[np.int8], place_size: int) -> NDArray[np.int8]:
    """Add up 2 x 2 tokens each, int8 [b, GRID^2, t], as one vector: int8 [b, POOLED_GRID^2 x place_size].

    Sums are cut off at 127, which 4 in 1,000 reach; each place ends in zeros where t is less than its size.
    """
    half, size = POOLED_GRID, contents.shape[2]
    squares = contents.astype(np.int16).reshape(len(contents), half, 2, half, 2, size)
    pooled = np.zeros((len(contents), half * half, place_size), np.int8)
    pooled[:, :, :size] = np.clip(squares.sum((2, 4), np.int16), -LARGEST, LARGEST).reshape(len(contents), -1, size)
    return pooled.reshape(len(contents), -1)


@cache
def positions(grid: int) -> NDArray[np.int8]:
    """Return where the cells of a grid x grid division are: int8 [grid^2, 2], (row, column) below 128."""
    steps = np.arange(grid) * (POSITION_WEIGHT * TOKEN_SCALE) // grid
    return np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2).astype(np.int8)


def patches_per_side(size: int, stride: int = STRIDE) -> int:
    """Return how many patches lie next to each other along an image's side."""
    return (size - SIDE) // stride + 1


@cache
def cells_of_patches(per_side: int, grid: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last cell, along a side, that a patch is in; cells overlap where they have to."""
    holds = np.stack([_cell_of(cell, per_side, grid) for cell in range(grid)])
    return holds.argmax(0), grid - 1 - holds[::-1].argmax(0)


@cache
def patches_share(per_side: int, grid: int) -> NDArray[np.float64]:
    """Return one by the number of patches in each cell: float64 [grid^2]."""
    counts = np.array([_cell_of(cell, per_side, grid).sum() for cell in range(grid)])
    shares: NDArray[np.float64] = 1.0 / np.outer(counts, counts).ravel()
    return shares


def _cell_of(cell: int, per_side: int, grid: int) -> NDArray[np.bool_]:
    places = np.arange(per_side)
    return (places >= cell * per_side // grid) & (places < -(-(cell + 1) * per_side // grid))


def _no_offset(size: int) -> NDArray[np.int64]:
    return np.zeros(size, np.int64)
