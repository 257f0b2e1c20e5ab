"""Exact W1 and the re-rank by it, against POT and against every permutation."""

import itertools

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from gmv.valuation.wasserstein.rerank import ExactReranker
from gmv.valuation.wasserstein.transport import w1

Tokens = NDArray[np.float64]


def by_pot(query: Tokens, candidate: Tokens) -> float:
    n, m = len(query), len(candidate)
    cost = ot.dist(query, candidate, metric="euclidean")
    return float(ot.emd2(np.full(n, 1 / n), np.full(m, 1 / m), cost))


def by_permutations(query: Tokens, candidate: Tokens) -> float:
    cost = np.linalg.norm(query[:, None] - candidate[None], axis=-1)
    return min(
        float(np.mean([cost[row, column] for row, column in enumerate(order)]))
        for order in itertools.permutations(range(len(query)))
    )


def token_sets(n: int, d: int) -> st.SearchStrategy[Tokens]:
    coordinates = st.one_of(st.floats(-4, 4, width=16), st.sampled_from([0.0, 1.0]))  # the latter make duplicates
    return npst.arrays(np.float64, (n, d), elements=coordinates)


class Store:
    def __init__(self, tokens: NDArray[np.float16]) -> None:
        self._tokens = tokens

    def tokens(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        return self._tokens[rows]


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


@pytest.mark.parametrize(("n", "d"), [(64, 64), (49, 15), (1, 4)])
def test_the_nearest_equal_those_of_pot(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    tokens = (rng.normal(size=(40, n, d)) + rng.normal(size=(40, 1, d)) * 0.3).astype(np.float16)
    tokens[5] = tokens[9]
    for query in (tokens[5].astype(np.float32), rng.normal(size=(n, d)).astype(np.float32)):
        rows = rng.permutation(40)[:30].astype(np.int64)
        near, distances = ExactReranker(Store(tokens)).nearest(query, rows, 10)
        oracle = np.array([by_pot(query.astype(np.float64), tokens[row].astype(np.float64)) for row in rows])
        order = np.lexsort((rows, oracle.round(9)))[:10]
        assert near.tolist() == rows[order].tolist()
        np.testing.assert_allclose(distances, oracle[order], rtol=1e-9, atol=1e-12)


def test_ties_and_exact_copies_are_in_order_of_row() -> None:
    tokens = np.zeros((6, 3, 2), np.float16)
    tokens[[0, 4]] = 1.0
    near, distances = ExactReranker(Store(tokens)).nearest(
        np.zeros((3, 2), np.float32), np.array([5, 4, 2, 1, 0], np.int64), 4
    )
    assert near.tolist() == [1, 2, 5, 0]
    assert distances.tolist() == pytest.approx([0.0, 0.0, 0.0, np.sqrt(2)])


def test_fewer_candidates_than_contributors() -> None:
    reranker = ExactReranker(Store(np.zeros((3, 2, 2), np.float16)))
    query = np.ones((2, 2), np.float32)
    assert reranker.nearest(query, np.array([2, 0], np.int64), 10)[0].tolist() == [0, 2]
    none = reranker.nearest(query, np.array([], np.int64), 10)
    assert [part.tolist() for part in none] == [[], []]
