"""Flat pictures: how many tokens are alike, against a plain count, and from how many on a picture is flat."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gmv.encoders import precomputed, reduced
from gmv.encoders.exact import descriptor
from gmv.encoders.flatness import flat_from, position_numbers, tokens_alike

INT8 = st.integers(-127, 127)


def count_alike(tokens: NDArray[Any]) -> int:
    """Count by definition, in whole numbers or fractions: two are alike within an eighth of their length."""
    rows = [[Fraction(float(number)) for number in row] for row in tokens]
    length = sum((number * number for row in rows for number in row), Fraction(0)) / len(rows)
    return max(
        sum(64 * sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) <= length for other in rows) for row in rows
    )


@given(arrays.arrays(np.int8, (2, 6, 4), elements=INT8 | st.sampled_from([0, 60, 61])))
def test_tokens_are_alike_by_definition(tokens: NDArray[np.int8]) -> None:
    expected = [count_alike(each[:, :2]) for each in tokens]
    assert tokens_alike(tokens, 2).tolist() == expected
    assert tokens_alike(tokens, 0).tolist() == [count_alike(each) for each in tokens]


def test_the_longest_int8_tokens_are_exact() -> None:
    """256 numbers of -127 and 127 each: squares of differences come to 2^24 - 2^18 + 2^10."""
    one = np.full((1, 2, 256), 127, np.int8)
    one[0, 1] = -127
    assert tokens_alike(one, 0).tolist() == [1]
    one[0, 1] = one[0, 0]
    assert tokens_alike(one, 0).tolist() == [2]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8])
def test_every_form_of_tokens_is_counted_in_pieces_alike(dtype: Any) -> None:
    tokens = np.random.default_rng(3).integers(-9, 9, (1_100, 5, 3)).astype(dtype)
    tokens[7] = tokens[1_050] = 4
    found = tokens_alike(tokens, 1)
    assert [place for place, count in enumerate(found) if count == 5 and len(np.unique(tokens[place, :, :2])) == 1] == [
        7,
        1_050,
    ]
    assert found.tolist()[::100] == [count_alike(each[:, :2]) for each in tokens[::100]]


def test_a_picture_is_flat_by_a_quarter_of_its_tokens_unless_that_is_usual() -> None:
    photographs = np.ones(1_000, np.int64)
    on_white = np.full(1_000, 30, np.int64)
    nearly_all = np.full(1_000, 60, np.int64)
    assert [flat_from(each, 64) for each in (photographs, on_white, nearly_all)] == [16, 60, 64]
    photographs[:90] = 64  # black pictures among them do not make black pictures usual
    assert flat_from(photographs, 64) == 16
    assert flat_from(np.ones(1, np.int64), 5) == 2
    assert [flat_from(np.ones(9, np.int64), tokens) for tokens in (1, 2, 3)] == [2, 3, 4], "too few to tell"


def test_where_tokens_end_in_a_position() -> None:
    assert [position_numbers(each) for each in (descriptor.KIND, precomputed.KIND, reduced.KIND)] == [2, 0, 0]
