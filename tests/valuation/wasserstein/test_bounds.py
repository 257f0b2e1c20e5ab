"""What must be a bound is one, in exact arithmetic: on sets made to break it, by an oracle in float64.

The oracle's own rounding is some 1e-15 of its numbers, and float32's is 6e-8: a bound that neglects the latter is off
by a thousand times what the former can explain.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gmv.valuation.wasserstein.ascent import ascend
from gmv.valuation.wasserstein.assignment import assign, new_search
from gmv.valuation.wasserstein.bounds import half_bound, relaxed_bound, tighten_columns, tighten_rows
from gmv.valuation.wasserstein.certificate import is_optimal, new_proof, total_cost
from gmv.valuation.wasserstein.cost import lower, square_roots, squared_norms
from gmv.valuation.wasserstein.packed import (
    new_packed_query,
    new_padded_tokens,
    pack,
    padded_columns,
    padded_rows,
    squared_costs,
)
from tests.valuation.wasserstein.sets import Kind, Sets, kinds, least_total, seeds, token_sets

ORACLE_ROUNDING = 1e-13
INFINITE = 1e300
shapes = st.sampled_from([(64, 64), (16, 512), (33, 8), (7, 3), (1, 4)])
every_world = given(kinds, seeds, shapes)
few = settings(max_examples=60, deadline=None)


class Pair(NamedTuple):
    """Two token sets, and what the kernel makes of them before any bound."""

    candidate: Sets
    query: Sets
    row_minima: Sets
    column_minima: Sets
    costs: Sets
    true_costs: NDArray[np.float64]

    @property
    def least_total(self) -> float:
        return least_total(self.true_costs)

    @property
    def room(self) -> float:
        return ORACLE_ROUNDING * float(self.true_costs.sum() + np.abs(self.query).max() + np.abs(self.candidate).max())


def pair(kind: Kind, seed: int, shape: tuple[int, int]) -> Pair:
    candidate, query = token_sets(kind, 2, *shape, seed)
    count, size = shape
    packed, padded = new_packed_query(*shape), new_padded_tokens(*shape)
    pack(query, packed)
    lower(packed.norms[:count], size)
    padded.all[:count] = candidate
    squared_norms(candidate, padded.norms)
    lower(padded.norms[:count], size)
    squares = np.empty((padded_rows(count), padded_columns(count)), np.float32)
    row_minima, column_minima = (np.empty(length, np.float32) for length in squares.shape)
    squared_costs(padded, packed, squares, row_minima, column_minima)
    costs = np.empty((count, count), np.float32)
    square_roots(squares, costs)
    assert (row_minima[:count] == squares[:count, :count].min(1)).all()
    assert (column_minima[:count] == squares[:count, :count].min(0)).all()
    true_costs = cdist(candidate.astype(float), query.astype(float))
    return Pair(candidate, query, row_minima[:count], column_minima[:count], costs, true_costs)


@few
@every_world
def test_costs_are_never_above_the_true_ones(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    of = pair(kind, seed, shape)
    assert (of.costs <= of.true_costs * (1 + 1e-15 * shape[1])).all()


@few
@given(kinds.filter(lambda kind: kind not in (Kind.FAR_AWAY, Kind.NEARLY_EQUAL)), seeds, shapes)
def test_costs_are_not_much_below_either(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    """Squares lose at most 2 e N: the bound of the docstring, and as much again for rounding down."""
    of = pair(kind, seed, shape)
    squares = (of.candidate.astype(float) ** 2).sum(1)[:, None] + (of.query.astype(float) ** 2).sum(1)
    lost = of.true_costs**2 - of.costs.astype(float) ** 2
    assert (lost <= 2 * (2 * shape[1] + 16) * 2.0**-24 * squares + 2.0**-120).all()


@few
@every_world
def test_no_bound_is_above_the_least_total(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    of = pair(kind, seed, shape)
    rows, columns, direction, best = (np.empty(shape[0], np.float32) for _ in range(4))
    relaxed = relaxed_bound(of.row_minima, of.column_minima)
    half = half_bound(of.costs, of.column_minima, rows, columns)
    ascended = ascend(of.costs, rows, columns, of.least_total * 1.001, INFINITE, 20, direction, best)
    assert max(relaxed, half, ascended) <= of.least_total + of.room
    assert half <= ascended


@few
@given(kinds, seeds, shapes, st.floats(0, 2, width=32))
def test_any_duals_made_tight_prove_a_bound(kind: Kind, seed: int, shape: tuple[int, int], spread: float) -> None:
    of = pair(kind, seed, shape)
    given_duals = np.random.default_rng(seed).normal(size=shape[0]).astype(np.float32) * np.float32(spread)
    given_duals *= of.costs.max()
    tight = np.empty_like(given_duals)
    slack = of.room + ORACLE_ROUNDING * float(np.abs(given_duals).sum())
    assert tighten_rows(of.costs, given_duals, tight) <= of.least_total + slack
    assert tighten_columns(of.costs, given_duals, tight) <= of.least_total + slack


@few
@given(kinds, seeds, shapes, st.floats(0.9, 1.1))
def test_a_search_is_given_up_only_above_its_threshold(
    kind: Kind, seed: int, shape: tuple[int, int], share: float
) -> None:
    of = pair(kind, seed, shape)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.float32)
    threshold = of.least_total * share
    if not assign(of.costs, columns, threshold, column_of, new_search(shape[0])):
        assert of.least_total + of.room > threshold


@few
@every_world
def test_an_assignment_is_one_and_the_cheapest_up_to_float32(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    of = pair(kind, seed, shape)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.float32)
    assert assign(of.costs, columns, INFINITE, column_of, new_search(shape[0]))
    assert sorted(column_of.tolist()) == list(range(shape[0]))
    cheapest = least_total(of.costs.astype(float))
    assert of.costs[np.arange(shape[0]), column_of].sum(dtype=float) <= cheapest * (1 + 1e-4) + shape[0] * 1e-30


@few
@every_world
def test_only_what_is_the_cheapest_gets_a_certificate(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    """The assignment found, and every one that exchanges the partners of two tokens of it."""
    of = pair(kind, seed, shape)
    proof, matched = new_proof(*shape), np.empty(shape[0], np.float64)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.float32)
    assign(of.costs, columns, INFINITE, column_of, new_search(shape[0]))
    for other in range(shape[0]):
        exchanged = column_of.copy()
        exchanged[[0, other]] = exchanged[[other, 0]]
        total = total_cost(of.candidate, of.query, exchanged, matched, proof.squares)
        assert total <= of.true_costs[np.arange(shape[0]), exchanged].sum() + of.room
        if is_optimal(of.candidate, of.query, of.costs, columns, exchanged, matched, proof):
            assert total <= of.least_total + of.room + shape[0] * 2.0**-44 * matched.max()


@few
@given(seeds, st.sampled_from([(64, 64), (33, 8), (7, 3)]))
def test_tokens_in_general_position_get_a_certificate(seed: int, shape: tuple[int, int]) -> None:
    of = pair(Kind.RANDOM, seed, shape)
    proof, matched = new_proof(*shape), np.empty(shape[0], np.float64)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.float32)
    assign(of.costs, columns, INFINITE, column_of, new_search(shape[0]))
    total_cost(of.candidate, of.query, column_of, matched, proof.squares)
    assert is_optimal(of.candidate, of.query, of.costs, columns, column_of, matched, proof)


@settings(max_examples=200, deadline=None)
@given(seeds, st.sampled_from([64, 33, 7]))
def test_rounding_alone_gives_no_search_up(seed: int, count: int) -> None:
    """The threshold is the least total of the very costs: a sum of rounded steps passes it about every other time.

    Steps between float32 numbers drawn from [0, 1) would not be rounded at all, as they are multiples of 2^-24.
    """
    costs = np.random.default_rng(seed).exponential(size=(count, count)).astype(np.float32)
    column_of, columns = np.empty(count, np.int64), np.zeros(count, np.float32)
    assert assign(costs, columns, least_total(costs.astype(float)), column_of, new_search(count))
