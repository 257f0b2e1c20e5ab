"""Exact W1 by the general solver, against every permutation and a common refinement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from gmv.valuation.wasserstein.transport import w1
from tests.valuation.wasserstein.sets import by_permutations

Tokens = NDArray[np.float64]


def token_sets(n: int, d: int) -> st.SearchStrategy[Tokens]:
    coordinates = st.one_of(st.floats(-4, 4, width=16), st.sampled_from([0.0, 1.0]))  # the latter make duplicates
    return npst.arrays(np.float64, (n, d), elements=coordinates)


@given(st.data(), st.integers(1, 6), st.integers(1, 3))
def test_is_the_best_of_all_permutations(data: st.DataObject, n: int, d: int) -> None:
    query, candidate = data.draw(token_sets(n, d)), data.draw(token_sets(n, d))
    assert w1(query, candidate) == pytest.approx(by_permutations(query, candidate), abs=1e-12)


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_sets_of_unequal_size_agree_with_pot_on_a_common_refinement(data: st.DataObject, n: int, m: int) -> None:
    """Repeating each token m (n) times does not change the measure, and makes both sets equally large."""
    query, candidate = data.draw(token_sets(n, 2)), data.draw(token_sets(m, 2))
    refined = w1(np.repeat(query, m, axis=0), np.repeat(candidate, n, axis=0))
    assert w1(query, candidate) == pytest.approx(refined, abs=1e-9)


@given(st.data())
def test_is_a_metric(data: st.DataObject) -> None:
    a, b, c = (data.draw(token_sets(5, 2)) for _ in range(3))
    assert w1(a, a) == 0.0
    assert w1(a, b) == pytest.approx(w1(b, a), abs=1e-12)
    assert w1(a, c) <= w1(a, b) + w1(b, c) + 1e-12
