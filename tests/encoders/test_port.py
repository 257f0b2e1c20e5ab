"""The promise of unit length, kept by vectors that were made elsewhere."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.port import check_unit_length
from gmv.errors import Poison, Reason


def unit_vector(seed: int, size: int) -> NDArray[np.float64]:
    vector = np.random.default_rng(seed).standard_normal(size)
    return vector / np.linalg.norm(vector)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 4_096))
def test_what_float16_makes_of_a_unit_vector_is_taken(seed: int, size: int) -> None:
    check_unit_length(unit_vector(seed, size).astype(np.float16).astype(np.float32))


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 4_096), scale=st.floats(0.1, 100.0))
def test_a_vector_divided_in_float16_is_taken(seed: int, size: int, scale: float) -> None:
    numbers = (scale * unit_vector(seed, size)).astype(np.float16)
    length = np.float16(np.linalg.norm(numbers.astype(np.float32)))

    check_unit_length((numbers / length).astype(np.float32))


def test_float16_moves_a_length_as_far_as_is_said() -> None:
    """1 + 2^-11 lies between two float16s, and goes to the even one."""
    sixteen_halfway = np.full(16, 0.25 * (1 + 2**-11), np.float32)

    assert np.linalg.norm(sixteen_halfway.astype(np.float16).astype(np.float64)) == 1.0
    check_unit_length(sixteen_halfway)


@pytest.mark.parametrize("length", [1e-20, 0.5, 0.998, 1.002, 2.0, 65_504.0])
def test_another_length_is_poison_that_says_it(length: float) -> None:
    with pytest.raises(Poison, match=re.escape(f"has length {length:.4g}, and should have 1")) as refused:
        check_unit_length((length * unit_vector(1, 64)).astype(np.float32))
    assert refused.value.reason is Reason.INVALID_FEATURES


def test_a_zero_vector_is_poison() -> None:
    with pytest.raises(Poison, match="is zero, which resembles nothing") as refused:
        check_unit_length(np.zeros(64, np.float32))
    assert refused.value.reason is Reason.INVALID_FEATURES
