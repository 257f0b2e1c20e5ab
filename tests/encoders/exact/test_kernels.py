"""Every step beside the same in Python's own integers and fractions."""

from decimal import Decimal, getcontext

import numpy as np
import pytest

from gmv.encoders.exact.descriptor import cells_of_patches, patches_share
from gmv.encoders.exact.kernels import cut_patches, pool_activations, round_lengths, round_products, round_roots

getcontext().prec = 50
DRAW = np.random.default_rng(0)


def nearest_integer(number: Decimal) -> int:
    return int(number.to_integral_value(rounding="ROUND_HALF_EVEN"))


def cut_off(number: int) -> int:
    return min(max(number, -127), 127)


def test_patches_have_their_mean_taken_out_and_their_spread_made_equal() -> None:
    images = DRAW.integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    patches = np.empty((2 * 4, 108), np.float32)
    cut_patches(images, 6, 3, patches)

    for at, patch in enumerate(patches):
        image, place = divmod(at, 4)
        top, left = 3 * (place // 2), 3 * (place % 2)
        pixels = images[image, top : top + 6, left : left + 6].transpose(2, 0, 1).ravel().tolist()
        mean = Decimal(sum(pixels)) / 108
        variance = sum(((pixel - mean) ** 2 for pixel in pixels), Decimal(0)) / 108
        expected = [cut_off(nearest_integer(32 * (pixel - mean) / (variance + 10).sqrt())) for pixel in pixels]
        assert patch.tolist() == expected


def test_products_are_scaled_rounded_and_cut_off() -> None:
    products = DRAW.integers(-(2**23), 2**23, (5, 7)).astype(np.float32)
    offset = DRAW.integers(-1000, 1000, 7)
    rounded = np.empty_like(products)
    round_products(products, offset, 0.00003, rounded)

    expected = np.clip(np.rint((products.astype(np.int64) + offset) * 0.00003), -127, 127)
    assert (rounded == expected).all()
    assert np.abs(rounded).max() == 127
    round_products(products, offset, 0.00003, products)
    assert (products == rounded).all()


@pytest.mark.parametrize(("per_side", "grid"), [(14, 8), (6, 8), (29, 8), (14, 14)])
def test_activations_are_pooled_over_the_cells_that_a_patch_is_in(per_side: int, grid: int) -> None:
    patches = DRAW.integers(-127, 128, (2 * per_side**2, 108))
    atoms = DRAW.integers(-127, 128, (5, 108))
    pooled = np.zeros((2, grid, grid, 5), np.int32)
    first, last = cells_of_patches(per_side, grid)
    products, squares = (patches @ atoms.T).astype(np.float32), (patches**2).sum(1).astype(np.float32)
    pool_activations(products, squares, (atoms**2).sum(1).astype(np.float32), first, last, pooled)

    square_distances = ((patches[:, np.newaxis] - atoms) ** 2).sum(2)
    distances = np.rint(4 * np.sqrt(square_distances.astype(np.float32))).astype(int)
    activations = np.maximum(distances.sum(1, keepdims=True) // 5 - distances, 0)
    maps = activations.reshape(2, per_side, per_side, 5)
    for row, column in np.ndindex(grid, grid):
        rows, columns = (slice(cell * per_side // grid, -(-(cell + 1) * per_side // grid)) for cell in (row, column))
        assert (pooled[:, row, column] == maps[:, rows, columns].sum((1, 2))).all()
        count = maps[0, rows, columns, 0].size
        assert patches_share(per_side, grid)[row * grid + column] == pytest.approx(1 / count, rel=1e-15)


def test_roots_are_rounded_and_centred() -> None:
    pooled = DRAW.integers(0, 90_000, (2, 3, 4), dtype=np.int32)
    weights, mean = np.array([0.25, 0.5, 1 / 9]), np.array([3, 100, 0, -5])
    cells = np.empty((6, 4), np.float32)
    round_roots(pooled, weights, mean, 0.75, cells)

    expected = np.clip(np.rint(np.sqrt(pooled * weights[:, np.newaxis]) * 0.75) - mean, -127, 127)
    assert (cells == expected.reshape(6, 4)).all()


def test_vectors_are_brought_to_a_length() -> None:
    vectors = DRAW.integers(-(2**21), 2**21, (4, 6)).astype(np.float64)
    vectors[2] = 0
    rounded = np.empty(vectors.shape, np.int8)
    round_lengths(vectors, 64, rounded)

    for vector, found in zip(list(vectors), list(rounded), strict=True):
        length = sum((Decimal(number) ** 2 for number in vector), Decimal(0)).sqrt()
        expected = [nearest_integer(64 * Decimal(number) / length) if length else 0 for number in vector]
        assert found.tolist() == expected
