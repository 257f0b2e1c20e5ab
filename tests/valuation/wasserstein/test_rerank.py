"""The re-rank against POT and against every permutation, on sets that are easy and on sets made to break it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gmv.valuation.ranking import Step
from gmv.valuation.wasserstein.rerank import ExactReranker
from gmv.valuation.wasserstein.scratch import KEPT_MAX
from tests.valuation.wasserstein.ranked import assert_is_ranked_by, rank, rows_of
from tests.valuation.wasserstein.sets import Kind, Sets, by_permutations, by_pot, kinds, least_total, seeds, token_sets

CANDIDATES = 30


@settings(max_examples=150, deadline=None)
@given(kinds, seeds, st.integers(1, 6), st.integers(1, 4), st.integers(1, 12))
def test_is_the_best_of_all_permutations(kind: Kind, seed: int, tokens: int, size: int, contributors: int) -> None:
    *store, query = token_sets(kind, 13, tokens, size, seed)
    truth = np.array([by_permutations(query.astype(float), each.astype(float)) for each in store])
    assert_is_ranked_by(
        rank(np.array(store), query, contributors), truth, contributors, 1e-12 * float(np.abs(store).max())
    )


@settings(max_examples=60, deadline=None)
@given(kinds, seeds, st.sampled_from([(64, 64), (33, 8), (49, 15), (7, 3), (1, 4)]), st.integers(1, CANDIDATES))
def test_equals_pot(kind: Kind, seed: int, shape: tuple[int, int], contributors: int) -> None:
    *store, query = token_sets(kind, CANDIDATES + 1, *shape, seed)
    truth = np.array([by_pot(query.astype(float), each.astype(float)) for each in store])
    assert_is_ranked_by(
        rank(np.array(store), query, contributors), truth, contributors, 1e-12 * float(np.abs(store).max())
    )


@settings(max_examples=60, deadline=None)
@given(kinds, seeds, st.integers(1, 40))
def test_neither_order_nor_company_nor_threads_change_a_bit(kind: Kind, seed: int, contributors: int) -> None:
    sets = token_sets(kind, 36, 16, 5, seed)
    store, queries = sets[:30], list(sets[30:])
    rng = np.random.default_rng(seed)
    candidates = [rng.permutation(30)[: rng.integers(1, 31)].astype(np.int64) for _ in queries]
    alone = [ExactReranker(store).nearest([q], [c], contributors)[0] for q, c in zip(queries, candidates, strict=True)]
    shuffled = [rng.permutation(each) for each in candidates]
    together = ExactReranker(store, threads=3).nearest(queries, shuffled, contributors)
    for one, other in zip(alone, together, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.distances.tobytes() == other.distances.tobytes()
        assert one.ended == other.ended


@settings(max_examples=30, deadline=None)
@given(kinds.filter(lambda kind: kind is not Kind.NEARLY_EQUAL), seeds)
def test_float16_and_float32_stores_of_the_same_numbers_give_the_same_bits(kind: Kind, seed: int) -> None:
    *singles, query = token_sets(kind, 21, 16, 5, seed)
    halves = np.array(singles).astype(np.float16)
    one, other = rank(halves, query, 7), rank(np.array(singles), query, 7)
    assert one.rows.tolist() == other.rows.tolist()
    assert one.distances.tobytes() == other.distances.tobytes()


def test_exact_copies_are_at_no_distance_and_ties_in_order_of_row() -> None:
    store = np.zeros((6, 3, 2), np.float16)
    store[[0, 4]] = 1.0
    ranking = rank(store, np.zeros((3, 2), np.float32), 4)
    assert ranking.rows.tolist() == [1, 2, 3, 5]
    assert ranking.distances.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_candidates_that_are_all_equal_are_in_order_of_row() -> None:
    sets = token_sets(Kind.RANDOM, 2, 64, 8, seed=1)
    ranking = rank(np.repeat(sets[:1], 20, axis=0), sets[1], 5)
    assert ranking.rows.tolist() == [0, 1, 2, 3, 4]
    assert len(set(ranking.distances.tolist())) == 1


def test_a_tie_at_the_last_place_goes_to_the_lower_row() -> None:
    sets = token_sets(Kind.RANDOM, 12, 16, 4, seed=2)
    store = np.concatenate([sets[:11], sets[:11]])
    ranking = rank(store, sets[11], 5)
    assert ranking.rows[1] == ranking.rows[0] + 11
    assert ranking.rows[3] == ranking.rows[2] + 11
    assert ranking.rows[4] < 11


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_nor_does_the_order_of_candidates_change_how_they_end(seed: int) -> None:
    """On a lattice many bounds are equal, and what is looked at first decides which others are discarded, and how."""
    rng = np.random.default_rng(seed)
    *store, query = rng.integers(0, 6, (61, 8, 1)).astype(np.float32)
    reranker, rows = ExactReranker(np.array(store)), rng.permutation(60)
    (one,), (other,) = (reranker.nearest([query], [each], 5) for each in (rows, rows_of(np.array(store))))
    assert one.ended == other.ended
    assert one.distances.tobytes() == other.distances.tobytes()


def test_fewer_candidates_than_contributors() -> None:
    store = token_sets(Kind.RANDOM, 3, 2, 2, seed=3)
    (ranking,) = ExactReranker(store).nearest([store[0]], [np.array([2, 0], np.int64)], 10)
    assert ranking.rows.tolist() == [0, 2]
    assert ExactReranker(store).nearest([], [], 10) == []


def test_scratch_grows_with_the_number_of_candidates() -> None:
    *store, query = token_sets(Kind.RANDOM, 301, 8, 3, seed=4)
    reranker, rows = ExactReranker(np.array(store)), rows_of(np.array(store))
    few, many, few_again = (reranker.nearest([query], [rows[:count]], 10)[0] for count in (20, 300, 20))
    assert few.rows.tolist() == few_again.rows.tolist()
    assert many.rows.tolist() == rank(np.array(store), query, 10).rows.tolist()


@given(seeds, st.sampled_from([1, 10, 200]), st.sampled_from([(8, 3), (5, 2), (1, 1)]))
@settings(max_examples=20, deadline=None)
def test_costs_that_are_not_kept_are_computed_again(seed: int, contributors: int, shape: tuple[int, int]) -> None:
    *store, query = token_sets(Kind.RANDOM, KEPT_MAX + 172, *shape, seed)
    ranking = rank(np.array(store), query, contributors)
    costs = [cdist(query.astype(float), each.astype(float)) for each in store]
    assert_is_ranked_by(ranking, np.array([least_total(cost) / shape[0] for cost in costs]), contributors, 1e-12)


@pytest.mark.parametrize("tokens", [1, 5, 9])
def test_a_query_of_another_size_goes_to_the_general_solver(tokens: int) -> None:
    store = token_sets(Kind.RANDOM, 12, 7, 3, seed=5)
    query = token_sets(Kind.RANDOM, 1, tokens, 3, seed=6)[0]
    ranking = rank(store, query, 4)
    assert ranking.ended is None
    truth = np.array([by_pot(query.astype(float), each.astype(float)) for each in store])
    assert_is_ranked_by(ranking, truth, 4, 1e-12)


@pytest.mark.parametrize("place", ["query", "store"])
def test_tokens_too_long_for_float32_go_to_the_general_solver(place: str) -> None:
    *store, query = token_sets(Kind.RANDOM, 13, 7, 3, seed=7) * np.float32(1e18 if place == "store" else 1)
    query = query * np.float32(1e18 if place == "query" else 1)
    ranking = rank(np.array(store), query, 4)
    assert ranking.ended is None
    truth = np.array([by_pot(query.astype(float), each.astype(float)) for each in store])
    assert_is_ranked_by(ranking, truth, 4, 0)


def test_every_candidate_ends_once() -> None:
    *store, query = token_sets(Kind.RANDOM, 201, 32, 8, seed=8)
    ranking = rank(np.array(store), query, 10)
    assert ranking.ended is not None
    assert sum(ranking.ended.values()) == 200
    assert ranking.ended[Step.CERTIFIED] + ranking.ended[Step.UNPROVEN] >= 10
    assert ranking.ended[Step.RELAXED] + ranking.ended[Step.HALF] > 100


STORE = token_sets(Kind.RANDOM, 4, 3, 2, seed=9)
QUERY = STORE[0]
ROWS = rows_of(STORE)


@pytest.mark.parametrize(
    ("query", "rows", "contributors", "complaint"),
    [
        (np.where(QUERY > 0, np.float32(np.nan), QUERY), ROWS, 1, "query 0 holds NaN or infinity"),
        (np.where(QUERY > 0, np.float32(np.inf), QUERY), ROWS, 1, "query 0 holds NaN or infinity"),
        (QUERY.astype(np.float64), ROWS, 1, r"query 0 is float64 \(3, 2\), not float32 \[n, 2\]"),
        (QUERY[:, :1], ROWS, 1, r"query 0 is float32 \(3, 1\)"),
        (QUERY[:0], ROWS, 1, "n at least 1"),
        (QUERY, ROWS[:0], 1, "query 0 has no candidates"),
        (QUERY, ROWS.astype(np.int32), 1, "int32"),
        (QUERY, ROWS, 0, "contributors is 0"),
        (QUERY, ROWS + 1, 1, "outside the store's 4 rows"),
        (QUERY, ROWS - 1, 1, "outside the store's 4 rows"),
        (QUERY, np.array([1, 2, 1]), 1, "a candidate twice"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    query: Sets, rows: NDArray[np.int64], contributors: int, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        ExactReranker(STORE).nearest([query], [rows], contributors)


@pytest.mark.parametrize(
    "store",
    [
        STORE.astype(np.float64),
        STORE.astype(np.uint8),
        STORE[0],
        STORE.transpose(0, 2, 1),
        np.zeros((1, 1, 5_000), np.float16),
        np.zeros((1, 1, 257), np.int8),
    ],
)
def test_another_store_is_refused(store: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="token"):
        ExactReranker(store)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("number", [np.nan, -np.nan, np.inf, -np.inf])
def test_a_store_that_is_not_finite_is_reported(dtype: type[np.floating[Any]], number: float) -> None:
    store = STORE.astype(dtype)
    store[2, 1, 0] = number
    with pytest.raises(ValueError, match="row 2 of the token store is not finite"):
        ExactReranker(store).nearest([QUERY], [ROWS], 1)
