import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.exact.descriptor import TOKEN_SCALE, positions
from gmv.encoders.exact.fitting import FittingSettings, fit_exact
from gmv.encoders.exact.storage import to_bytes
from gmv.encoders.port import Features, MirroringEncoder
from tests.encoders.exact.descriptors import ENCODER, PICTURES, SETTINGS, exact
from tests.encoders.pictures import WORKING_SIZE, picture

ENCODED = ENCODER.encode(PICTURES)
PIXELS = st.binary(min_size=3 * WORKING_SIZE**2, max_size=3 * WORKING_SIZE**2).map(
    lambda content: np.frombuffer(content, np.uint8).reshape(WORKING_SIZE, WORKING_SIZE, 3)
)


def bits(features: Features) -> tuple[bytes, bytes]:
    return features.vectors.tobytes(), features.tokens.tobytes()


@settings(max_examples=40)
@given(st.lists(st.integers(0, 19), max_size=20))
def test_the_same_image_gives_the_same_bits_in_any_batch(places: list[int]) -> None:
    found = ENCODER.encode([PICTURES[place] for place in places])

    assert bits(found) == bits(Features(ENCODED.vectors[places], ENCODED.tokens[places]))


def test_threads_change_no_bit() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert bits(ENCODER.encode(PICTURES)) == bits(ENCODED)
    finally:
        torch.set_num_threads(before)


@settings(max_examples=40)
@given(PIXELS)
def test_a_mirrored_image_needs_no_second_encoding(image: NDArray[np.uint8]) -> None:
    seen, turned = ENCODER.encode([image]), ENCODER.encode([image[:, ::-1]])

    assert bits(ENCODER.mirrored(seen)) == bits(turned)
    assert bits(ENCODER.mirrored(turned)) == bits(seen)
    assert (ENCODER.vector_mirror.apply(seen.vectors) == turned.vectors).all()


def test_mirroring_is_seen() -> None:
    turned = ENCODER.mirrored(ENCODED)

    assert isinstance(ENCODER, MirroringEncoder)
    assert (turned.tokens != ENCODED.tokens).any(axis=(1, 2)).all()
    assert (turned.vectors != ENCODED.vectors).any(axis=1).all()


def test_features_are_integers_of_the_shapes_promised() -> None:
    assert ENCODED.vectors.shape == (20, ENCODER.vector_size)
    assert ENCODED.tokens.shape == (20, *ENCODER.tokens_shape)
    assert ENCODED.vectors.dtype == ENCODED.tokens.dtype == np.int8
    assert ENCODED.vectors.min() > -128


def test_tokens_are_a_direction_and_a_place_on_the_grid() -> None:
    lengths = np.linalg.norm(ENCODED.tokens[..., :-2].astype(float), axis=-1)
    places = np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), -1).reshape(64, 2) / 4

    assert np.abs(lengths - TOKEN_SCALE).max() < np.sqrt(ENCODER.tokens_shape[1]) / 2
    assert (ENCODED.tokens[..., -2:] / TOKEN_SCALE == places).all()


def test_places_of_a_finer_grid_are_distinct_and_fit_a_byte() -> None:
    assert len({tuple(place) for place in positions(14).tolist()}) == 14 * 14
    assert positions(14).min() == 0


def test_an_altered_copy_is_nearer_than_any_other_image() -> None:
    altered = [np.clip(image.astype(int) + 9, 0, 255).astype(np.uint8) for image in PICTURES]
    apart = ENCODER.encode(altered).vectors[:, np.newaxis].astype(int) - ENCODED.vectors

    assert ((apart**2).sum(2).argmin(1) == np.arange(20)).all()


def test_a_refit_gives_the_same_parameters() -> None:
    once, again, other = (
        to_bytes(fit_exact(PICTURES[:4], FittingSettings(working_size=WORKING_SIZE, seed=seed))) for seed in (0, 0, 1)
    )

    assert once == again != other


def test_a_corpus_and_the_same_mirrored_teach_the_same_whitening() -> None:
    """The dictionary is closed under mirroring, so which way round images are cannot matter to its statistics."""
    sized = [picture(seed) for seed in range(4)]  # all patches of four images are taken
    once, turned = (fit_exact(images, SETTINGS) for images in (sized, [image[:, ::-1] for image in sized]))

    assert (once.whitening == turned.whitening).all()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("flat", [False, True])
def test_a_tiny_corpus_has_an_answer(count: int, flat: bool) -> None:
    images = [picture(seed) for seed in range(count)]
    if flat:
        images = [np.full_like(image, 50 * seed) for seed, image in enumerate(images)]
    encoder = exact(images)
    found = encoder.encode(images)

    assert encoder.vector_size >= 1
    assert found.tokens.shape == (count, *encoder.tokens_shape)
    assert (found.tokens == found.tokens[0]).all() if flat else count == 1 or (found.tokens != found.tokens[0]).any()


def test_no_image_is_encoded_to_nothing() -> None:
    assert len(ENCODER.encode([])) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3, 5), (1_000, 7)])
def test_any_size_can_be_encoded(shape: tuple[int, int]) -> None:
    assert ENCODER.encode([picture(3, *shape)]).tokens.shape == (1, *ENCODER.tokens_shape)
