import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.descriptor import FittedDescriptor
from gmv.encoders.port import Features
from gmv.encoders.working_size import to_working_size
from gmv.threads import limit_threads, one_thread
from tests.encoders.former import former
from tests.encoders.pictures import picture

PICTURES = [picture(seed, 12 + 5 * (seed % 4), 40 - 7 * (seed % 5)) for seed in range(20)]
with one_thread():
    ENCODER = former()
    ENCODED = ENCODER.encode(PICTURES)


@pytest.fixture(autouse=True)
def threads_of_torch() -> Iterator[None]:
    """One, as every command of gmv takes; afterwards what the process had."""
    with one_thread():
        yield


def bits(features: Features) -> tuple[bytes, bytes]:
    return features.vectors.tobytes(), features.tokens.tobytes()


@settings(max_examples=40)
@given(st.lists(st.integers(0, 19), max_size=6))
def test_the_same_image_gives_the_same_bits_in_any_batch(places: list[int]) -> None:
    found = ENCODER.encode([PICTURES[place] for place in places])

    assert bits(found) == bits(Features(ENCODED.vectors[places], ENCODED.tokens[places]))


@pytest.mark.parametrize("pinned", [one_thread, limit_threads])
def test_bits_are_those_of_one_thread_whatever_torch_was_set_to_before(
    pinned: Callable[[], AbstractContextManager[None] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever encodes calls one of the two. With more threads, some processors (AMX) give other last bits."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(variable, "2")  # `limit_threads` sets them; here they are set back afterwards
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)
    with pinned() or nullcontext(), ThreadPoolExecutor(1) as pool:
        found = [ENCODER.encode(PICTURES), pool.submit(ENCODER.encode, PICTURES).result()]
        threads = [torch.get_num_threads(), pool.submit(torch.get_num_threads).result(), faiss.omp_get_max_threads()]

    assert threads == [1, 1, 1]
    for each in found:
        assert bits(each) == bits(ENCODED)


def test_one_thread_leaves_other_work_as_it_was() -> None:
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)
    with one_thread():
        pass
    assert (torch.get_num_threads(), faiss.omp_get_max_threads()) == (2, 2)


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


def test_libraries_that_are_loaded_later_take_one_thread_too() -> None:
    """A worker loads torch and faiss where its index needs them, which is after the limit was set."""
    program = (
        "from gmv.threads import limit_threads\nlimit_threads()\nimport faiss, torch\n"
        "print(torch.get_num_threads(), faiss.omp_get_max_threads())"
    )
    several = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | several, capture_output=True, check=True)
    assert done.stdout.split() == [b"1", b"1"]
