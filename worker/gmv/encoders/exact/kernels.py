"""The steps between matrix products, compiled: each number by itself, so that its rounding is the same everywhere.

Matrix products are left to torch in float32. Of integers whose sums stay below 2^24 they are exact, in whatever order,
by however many threads and with whatever instructions they are added up.
"""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict

Floats = NDArray[np.float32]

LARGEST = 127
"""Of what int8 holds, either side: mirrored numbers are negated, and -128 has no opposite."""

PATCH_SCALE = 32.0
"""A patch's number that is one standard deviation off is 32, four are 128 and cut off."""

_VARIANCE_FLOOR = 10.0  # of pixel values in [0, 255]: the noise of a flat patch is not blown up to full contrast
_STEPS = np.float32(
    4.0
)  # of a distance: quarters of the unit of whitened patches, which is a hundredth of their spread


@strict
def cut_patches(images: NDArray[np.uint8], side: int, stride: int, patches: Floats) -> None:
    """Cut images into patches with mean 0 and variance about 1 each, in units of 1 / `PATCH_SCALE`.

    Args:
        images: uint8 [b, size, size, 3].
        side: of a patch, in pixels.
        stride: in pixels, from one patch to the next.
        patches: float32 [b x per side x per side, 3 x side x side], to be filled with integers, by (channel, row,
            column) of the patch.
    """
    per_side = (images.shape[1] - side) // stride + 1
    for image in range(images.shape[0]):
        for place in range(per_side * per_side):
            top, left = place // per_side * stride, place % per_side * stride
            patch = patches[image * per_side * per_side + place]
            number = 0
            for channel in range(3):
                for row in range(top, top + side):
                    for column in range(left, left + side):
                        patch[number] = images[image, row, column, channel]
                        number += 1
            _normalise(patch)


@strict
def _normalise(patch: Floats) -> None:
    """Take mean and spread out of pixel values, float32 [p], in integers up to the last division."""
    numbers = patch.shape[0]
    total = np.int64(0)
    for number in range(numbers):
        total += np.int64(patch[number])
    squares = np.int64(0)
    for number in range(numbers):
        off = numbers * np.int64(patch[number]) - total
        squares += off * off
    scale = PATCH_SCALE / np.sqrt(squares / numbers + _VARIANCE_FLOOR * numbers * numbers)
    for number in range(numbers):
        patch[number] = _rounded((numbers * np.int64(patch[number]) - total) * scale)


@strict
def round_products(products: Floats, offset: NDArray[np.int64], factor: float, rounded: Floats) -> None:
    """Add an offset to integers, scale, round and cut off; `rounded` may be `products`.

    Args:
        products: float32 [n, q], integers.
        offset: int64 [q], in their unit.
        factor: from their unit to the new one.
        rounded: float32 [n, q], to be filled with integers in [-127, 127].
    """
    for row in range(products.shape[0]):
        for column in range(products.shape[1]):
            rounded[row, column] = _rounded((np.float64(products[row, column]) + offset[column]) * factor)


@strict
def pool_activations(
    products: Floats,
    patch_squares: Floats,
    atom_squares: Floats,
    first_cell: NDArray[np.int64],
    last_cell: NDArray[np.int64],
    pooled: NDArray[np.int32],
) -> None:
    """Add up, cell by cell, by how much an atom is nearer to a patch than the mean atom, or 0.

    The triangle activation of Coates, Lee and Ng (AISTATS 2011), with distances in quarters of a unit.

    Args:
        products: float32 [b x per side x per side, K], of patches and atoms.
        patch_squares: float32 [b x per side x per side], squared lengths.
        atom_squares: float32 [K].
        first_cell: int64 [per side], of the cells along a side that a patch is in.
        last_cell: int64 [per side], that one included.
        pooled: int32 [b, grid, grid, K], zeros to be added to.
    """
    per_side, atoms = len(first_cell), products.shape[1]
    distances = np.empty(atoms, np.int32)
    for at in range(products.shape[0]):
        image, place = at // (per_side * per_side), at % (per_side * per_side)
        row, column = place // per_side, place % per_side
        total = np.int32(0)
        for atom in range(atoms):
            square = patch_squares[at] + atom_squares[atom] - np.float32(2.0) * products[at, atom]
            distances[atom] = np.int32(np.rint(_STEPS * np.sqrt(square)))
        for atom in range(atoms):
            total += distances[atom]
        mean = np.int32(total // atoms)
        for cell_row in range(first_cell[row], last_cell[row] + 1):
            for cell_column in range(first_cell[column], last_cell[column] + 1):
                cell = pooled[image, cell_row, cell_column]
                for atom in range(atoms):
                    cell[atom] += max(mean - distances[atom], np.int32(0))


@strict
def round_roots(
    pooled: NDArray[np.int32], weights: NDArray[np.float64], mean: NDArray[np.int64], factor: float, cells: Floats
) -> None:
    """Take square roots, which tame the few large activations, and centre them.

    Args:
        pooled: int32 [b, n, K], n cells each.
        weights: float64 [n], of a cell: one by the number of its patches.
        mean: int64 [K], of what is returned, before it is taken off.
        factor: to the unit of what is returned.
        cells: float32 [b x n, K], to be filled with integers in [-127, 127].
    """
    for image in range(pooled.shape[0]):
        for cell in range(pooled.shape[1]):
            at = image * pooled.shape[1] + cell
            for atom in range(pooled.shape[2]):
                root = np.sqrt(pooled[image, cell, atom] * weights[cell])
                cells[at, atom] = min(max(np.rint(root * factor) - mean[atom], -LARGEST), LARGEST)


@strict
def round_lengths(vectors: NDArray[np.float64], length: float, rounded: NDArray[np.int8]) -> None:
    """Bring vectors to a length and round; a zero vector, of what equals the corpus's mean, stays zero.

    Args:
        vectors: float64 [n, q], integers.
        length: to have before rounding, up to 127.
        rounded: int8 [n, q], to be filled.
    """
    for row in range(vectors.shape[0]):
        squares = 0.0
        for column in range(vectors.shape[1]):
            squares += vectors[row, column] * vectors[row, column]
        scale = length / np.sqrt(squares) if squares > 0.0 else 0.0
        for column in range(vectors.shape[1]):
            rounded[row, column] = np.int8(np.rint(vectors[row, column] * scale))


@strict
def _rounded(number: float) -> np.float32:
    return np.float32(min(max(np.rint(number), -LARGEST), LARGEST))
