"""Squared costs of whole numbers, as int16 and as bytes, to numpy's, whatever is padded."""

from typing import Final

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gmv.processor import multiplies_bytes
from gmv.valuation.wasserstein.cost import INTEGER_SIZE_MAX, squared_norms
from gmv.valuation.wasserstein.instructions import LARGE
from gmv.valuation.wasserstein.packed import (
    new_packed_looks,
    new_padded_tokens,
    pack_integers,
    padded_columns,
    padded_rows,
    squared_costs,
)
from gmv.valuation.wasserstein.tokens import load_integers, stored_tokens

LAYOUTS: Final = [False, True] if multiplies_bytes() else [False]  # other processors have no instruction for bytes
LEAST, GREATEST = -128, 127


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(LAYOUTS),
    st.integers(1, 40),
    st.sampled_from([1, 3, 4, 5, 8, 11, 64, 255, INTEGER_SIZE_MAX]),
    st.sampled_from(["any", "limits", "least and greatest"]),
    st.integers(0, 2**32 - 1),
)
@example(LAYOUTS[-1], 1, 255, "least and greatest", 0)  # of bytes, exact in one order alone
def test_they_are_exact(as_bytes: bool, count: int, size: int, numbers: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    candidate, query = random.integers(LEAST, GREATEST + 1, (2, count, size), np.int8)
    if numbers == "limits":
        candidate, query = random.choice(np.array([LEAST, GREATEST], np.int8), (2, count, size))
    if numbers == "least and greatest":
        candidate[:], query[:] = (LEAST, GREATEST) if seed % 2 else (GREATEST, LEAST)
    looks, tokens = new_packed_looks(count, size, as_bytes), new_padded_tokens(count, size, as_bytes)
    rows, columns = padded_rows(count), padded_columns(count)
    squares, row_minima = np.empty((rows, columns), np.float32), np.empty(rows, np.float32)
    column_minima = np.empty(columns, np.float32)

    norms = looks.norms[0, :count]
    squared_norms(query.astype(np.float32), norms)
    pack_integers(query.astype(np.float32), looks.integers[0], norms)
    load_integers(stored_tokens(candidate[None]), 0, tokens.integers, tokens.norms[:count])
    squared_costs(tokens.integers, tokens.norms, looks.integers[0], looks.norms[0], squares, row_minima, column_minima)

    true = ((candidate.astype(np.int64)[:, None] - query.astype(np.int64)) ** 2).sum(2)
    assert (squares[:count, :count] == true).all()
    assert (row_minima[:count] == true.min(1)).all()
    assert (column_minima[:count] == true.min(0)).all()
    assert (squares[count:] > LARGE / 2).all()
    assert (squares[:, count:] > LARGE / 2).all()


@pytest.mark.parametrize("as_bytes", LAYOUTS)
def test_lengths_of_a_candidate_are_its_own(as_bytes: bool) -> None:
    tokens = new_padded_tokens(2, 3, as_bytes)
    load_integers(
        stored_tokens(np.array([[[1, -2, 3], [-128, 0, 127]]], np.int8)), 0, tokens.integers, tokens.norms[:2]
    )
    assert tokens.norms[:2].tolist() == [14, 128**2 + 127**2]
