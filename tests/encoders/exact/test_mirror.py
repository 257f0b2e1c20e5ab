import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.encoders.mirror import (
    Mirror,
    mirror_of_atoms,
    mirror_of_grid,
    mirror_of_patches,
    mirror_of_signs,
)

SIGNS = np.array([1, -1, -1, 1, -1], np.int8)
MIRRORS = {
    "patches": mirror_of_patches(6, 3),
    "odd patches": mirror_of_patches(5, 3),
    "atoms": mirror_of_atoms(8),
    "signs": mirror_of_signs(SIGNS),
    "grid": mirror_of_grid(4, SIGNS),
}


@pytest.fixture(params=MIRRORS)
def mirror(request: pytest.FixtureRequest) -> Mirror:
    return MIRRORS[request.param]


@given(seed=st.integers(0, 2**32 - 1))
def test_twice_mirrored_is_as_it_was(seed: int) -> None:
    for mirror in MIRRORS.values():
        numbers = np.random.default_rng(seed).integers(-127, 128, (3, len(mirror.signs))).astype(np.int8)

        assert (mirror.apply(mirror.apply(numbers)) == numbers).all()


def test_a_patch_is_mirrored_from_left_to_right() -> None:
    patch = np.arange(3 * 6 * 6, dtype=np.int8).reshape(3, 6, 6)

    assert (mirror_of_patches(6, 3).apply(patch.ravel()) == patch[:, :, ::-1].ravel()).all()


def test_both_halves_are_a_basis_and_turn_as_they_say(mirror: Mirror) -> None:
    size = len(mirror.signs)
    vectors = [mirror.half(sign).expand(np.eye(len(mirror.half(sign).first)), size) for sign in (1, -1)]
    whole = np.hstack(vectors)

    np.testing.assert_allclose(whole.T @ whole, np.eye(size), atol=1e-12)
    for sign, half in zip((1, -1), vectors, strict=True):
        assert (mirror.signs[:, np.newaxis] * half[mirror.permutation] == sign * half).all()


def test_moments_and_sums_are_those_of_samples_in_the_basis(mirror: Mirror) -> None:
    samples = np.random.default_rng(0).integers(-9, 10, (40, len(mirror.signs))).astype(float)
    for sign in (1, -1):
        half = mirror.half(sign)
        within = samples @ half.expand(np.eye(len(half.first)), len(mirror.signs))

        np.testing.assert_allclose(half.moments(samples.T @ samples), within.T @ within, atol=1e-9)
        np.testing.assert_allclose(half.sums(samples.sum(0)), within.sum(0), atol=1e-9)
