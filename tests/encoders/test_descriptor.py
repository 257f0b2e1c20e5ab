import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.descriptor import FittedDescriptor
from gmv.encoders.fitting import FittingSettings, fit_descriptor
from gmv.encoders.storage import to_bytes
from gmv.encoders.working_size import to_working_size
from tests.encoders.pictures import WORKING_SIZE, fitted, picture

PICTURES = [picture(seed, 12 + 5 * (seed % 4), 40 - 7 * (seed % 5)) for seed in range(20)]
ENCODER = fitted(PICTURES)
ENCODED = ENCODER.encode(PICTURES)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 19), max_size=6))
def test_the_same_image_gives_the_same_bits_in_any_batch(places: list[int]) -> None:
    found = ENCODER.encode([PICTURES[place] for place in places])

    assert found.vectors.tobytes() == ENCODED.vectors[places].tobytes()
    assert found.tokens.tobytes() == ENCODED.tokens[places].tobytes()


def test_threads_change_no_bit() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3 - min(threads, 2))
        found = ENCODER.encode(PICTURES)
    finally:
        torch.set_num_threads(threads)

    assert found.vectors.tobytes() == ENCODED.vectors.tobytes()
    assert found.tokens.tobytes() == ENCODED.tokens.tobytes()


def test_shapes_are_those_promised() -> None:
    assert ENCODED.vectors.shape == (20, ENCODER.vector_size)
    assert ENCODED.tokens.shape == (20, *ENCODER.tokens_shape)
    assert ENCODED.vectors.dtype == ENCODED.tokens.dtype == np.float32


def test_vectors_have_length_one() -> None:
    np.testing.assert_allclose(np.linalg.norm(ENCODED.vectors, axis=1), 1, rtol=1e-5)


def test_tokens_are_a_direction_and_a_place_on_the_grid() -> None:
    np.testing.assert_allclose(np.linalg.norm(ENCODED.tokens[..., :-2], axis=-1), 1, rtol=1e-3)
    places = np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), -1).reshape(64, 2) / 4
    assert (ENCODED.tokens[..., -2:] == places).all()


def test_tokens_survive_the_store() -> None:
    assert (ENCODED.tokens.astype(np.float16) == ENCODED.tokens).all()


def test_an_altered_copy_is_nearer_than_any_other_image() -> None:
    altered = [np.clip(image.astype(int) + 9, 0, 255).astype(np.uint8) for image in PICTURES]
    likeness = ENCODER.encode(altered).vectors @ ENCODED.vectors.T

    assert (likeness.argmax(1) == np.arange(20)).all()


def test_a_refit_gives_the_same_bits() -> None:
    once, again, other = (
        to_bytes(fit_descriptor(PICTURES[:4], FittingSettings(working_size=WORKING_SIZE, seed=seed)))
        for seed in (0, 0, 1)
    )

    assert once == again != other


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("flat", [False, True])
def test_a_tiny_corpus_has_an_answer(count: int, flat: bool) -> None:
    images = [picture(seed) for seed in range(count)]
    if flat:
        images = [np.full_like(image, 50 * seed) for seed, image in enumerate(images)]
    encoder = fitted(images)
    found = encoder.encode(images)

    assert encoder.vector_size == (1 if flat else max(1, count - 1))
    assert np.isfinite(found.vectors).all()
    assert np.isfinite(found.tokens).all()


def test_no_image_is_encoded_to_nothing() -> None:
    assert len(ENCODER.encode([])) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3, 5), (1_000, 7)])
def test_any_size_can_be_encoded(shape: tuple[int, int]) -> None:
    found = ENCODER.encode([picture(3, *shape)])

    assert np.isfinite(found.vectors).all()
    assert np.isfinite(found.tokens).all()


def test_an_image_of_the_working_size_is_left_alone() -> None:
    image = picture(0, 16, 16)

    assert to_working_size(image, 16) is image


def test_a_larger_image_is_averaged_by_area() -> None:
    image = picture(0, 64, 32)
    blocks = image.reshape(16, 4, 16, 2, 3).mean(axis=(1, 3))

    assert np.abs(to_working_size(image, 16) - blocks).max() <= 1


def is_seen(change: NDArray[np.uint8], encoder: FittedDescriptor) -> bool:
    return encoder.encode([change]).tokens.tobytes() != ENCODED.tokens[:1].tobytes()


def test_nothing_of_an_oblong_image_is_cut_off() -> None:
    for corner in np.ndindex(2, 2):
        changed = PICTURES[0].copy()
        place = tuple(slice(-6, None) if far else slice(0, 6) for far in corner)
        changed[place] = 255 - changed[place]
        assert is_seen(changed, ENCODER)
