"""What must be a bound is one, in exact arithmetic: on sets made to break it, by an oracle in float64.

The oracle's own rounding is some 1e-15 of its numbers, and float32's is 6e-8: a bound that neglects the latter is off
by a thousand times what the former can explain.
"""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gmv.valuation.wasserstein.ascent import ascend, new_ascent
from gmv.valuation.wasserstein.assignment import assign, new_search
from gmv.valuation.wasserstein.bounds import half_bound, relaxed_bound, tighten_columns, tighten_rows
from gmv.valuation.wasserstein.certificate import Ground, is_optimal, new_proof, total_cost
from gmv.valuation.wasserstein.fixed import COST_MAX, DUAL_MAX, costs_of, in_units
from gmv.valuation.wasserstein.matrices import prepare, square
from gmv.valuation.wasserstein.scratch import new_scratch
from gmv.valuation.wasserstein.tokens import stored_tokens
from tests.valuation.wasserstein.sets import Kind, Sets, integer_sets, kinds, least_total, seeds, token_sets

ORACLE_ROUNDING = 1e-13
NO_LIMIT = np.int64(2**62)
shapes = st.sampled_from([(64, 64), (16, 256), (33, 8), (7, 3), (1, 4)])
are_integers = st.booleans()
every_world = given(kinds, seeds, shapes, are_integers)
few = settings(max_examples=60, deadline=None)


class Pair(NamedTuple):
    """Two token sets, and what the kernel makes of them before any bound."""

    candidate: Sets
    query: Sets
    row_minima: Sets
    column_minima: Sets
    costs: NDArray[np.int32]
    unit: float
    true_costs: NDArray[np.float64]
    ground: Ground

    @property
    def least_total(self) -> float:
        return least_total(self.true_costs)

    @property
    def room(self) -> float:
        return ORACLE_ROUNDING * float(self.true_costs.sum() + np.abs(self.query).max() + np.abs(self.candidate).max())


def pair(kind: Kind, seed: int, shape: tuple[int, int], is_integer: bool = False) -> Pair:
    candidate, query = (integer_sets if is_integer else token_sets)(kind, 2, *shape, seed)
    count = shape[0]
    store, scratch = stored_tokens(candidate[None]), new_scratch(1, *shape)
    assert prepare(store, query[None].astype(np.float32), scratch)
    squares, column_minima = scratch.squares[0], scratch.column_minima[0]
    unit = square(store, 0, 0, squares, column_minima, scratch)
    costs_of(squares, unit, scratch.costs)
    assert (scratch.row_minima[:count] == squares[:count, :count].min(1)).all()
    assert (column_minima[:count] == squares[:count, :count].min(0)).all()
    true_costs = cdist(candidate.astype(float), query.astype(float))
    return Pair(
        candidate.astype(np.float32),
        query.astype(np.float32),
        scratch.row_minima[:count],
        column_minima[:count],
        scratch.costs,
        unit,
        true_costs,
        Ground(is_integer, squares, candidate.astype(np.float32), query.astype(np.float32)),
    )


@few
@every_world
def test_costs_are_never_above_the_true_ones(kind: Kind, seed: int, shape: tuple[int, int], is_integer: bool) -> None:
    of = pair(kind, seed, shape, is_integer)
    assert (of.costs * of.unit <= of.true_costs * (1 + 1e-15 * shape[1])).all()
    assert of.costs.min() >= 0
    assert of.costs.max() <= COST_MAX


@few
@given(kinds.filter(lambda kind: kind not in (Kind.FAR_AWAY, Kind.NEARLY_EQUAL)), seeds, shapes)
def test_costs_are_not_much_below_either(kind: Kind, seed: int, shape: tuple[int, int]) -> None:
    """Squares lose at most 2 e N: the bound of the docstring, and as much again for rounding down."""
    of = pair(kind, seed, shape)
    squares = (of.candidate.astype(float) ** 2).sum(1)[:, None] + (of.query.astype(float) ** 2).sum(1)
    lost = of.true_costs**2 - ((of.costs + 1) * of.unit) ** 2
    assert (lost <= 2 * (2 * shape[1] + 16) * 2.0**-24 * squares + 2.0**-120).all()


@few
@given(kinds, seeds, shapes)
def test_costs_of_integers_are_the_true_ones_but_for_a_unit_and_a_root(
    kind: Kind, seed: int, shape: tuple[int, int]
) -> None:
    of = pair(kind, seed, shape, is_integer=True)
    assert (of.row_minima == (of.true_costs**2).round().min(1)).all()
    assert (of.column_minima == (of.true_costs**2).round().min(0)).all()
    assert (of.true_costs - of.costs * of.unit <= of.unit + 2.0**-21 * of.true_costs).all()


@pytest.mark.parametrize("number", [-128, 127])
def test_squares_of_the_longest_integers_are_exact(number: int) -> None:
    candidate, query = np.full((1, 5, 256), -128, np.int8), np.full((1, 5, 256), number, np.float32)
    query[0, 1:, 0] -= np.sign(number)
    store, scratch = stored_tokens(candidate), new_scratch(1, 5, 256)
    prepare(store, query, scratch)
    square(store, 0, 0, scratch.squares[0], scratch.column_minima[0], scratch)
    differences = candidate.astype(np.int64)[0][:, None] - query.astype(np.int64)[0]
    assert (scratch.squares[0][:5, :5] == (differences**2).sum(2)).all()


@few
@every_world
def test_no_bound_is_above_the_least_total(kind: Kind, seed: int, shape: tuple[int, int], is_integer: bool) -> None:
    of = pair(kind, seed, shape, is_integer)
    rows, columns, halves = (np.empty(shape[0], np.int32) for _ in range(3))
    relaxed = relaxed_bound(of.row_minima, of.column_minima, of.unit)
    costs = np.empty_like(of.costs)
    half = half_bound(of.ground.squares, of.column_minima, of.unit, costs, rows, columns, halves)
    assert (costs == of.costs).all()
    target = in_units(of.least_total * 1.001, of.unit)
    ascended = ascend(of.costs, rows, columns, target, NO_LIMIT, 20, new_ascent(shape[0]))
    assert max(relaxed, half, ascended) * of.unit <= of.least_total + of.room
    assert half <= ascended


@few
@given(kinds, seeds, shapes, st.floats(0, 4))
def test_any_duals_made_tight_prove_a_bound(kind: Kind, seed: int, shape: tuple[int, int], spread: float) -> None:
    of = pair(kind, seed, shape)
    limit = float(spread * COST_MAX)
    given_duals = np.random.default_rng(seed).uniform(-limit, limit, size=shape[0]).astype(np.int32)
    tight = np.empty_like(given_duals)
    assert tighten_rows(of.costs, given_duals, tight) * of.unit <= of.least_total + of.room
    assert tighten_columns(of.costs, given_duals, tight) * of.unit <= of.least_total + of.room


@few
@given(seeds, st.sampled_from([64, 33, 7, 1]), st.integers(0, 2**62))
def test_an_ascent_stays_within_its_limits_whatever_its_target(seed: int, count: int, target: int) -> None:
    costs = np.random.default_rng(seed).integers(0, COST_MAX + 1, (count, count)).astype(np.int32)
    rows, columns = (np.zeros(count, np.int32) for _ in range(2))
    tighten_rows(costs, columns, rows)
    value = ascend(costs, rows, columns, np.int64(target), NO_LIMIT, 20, new_ascent(count))
    assert np.abs(rows).max() <= DUAL_MAX
    assert np.abs(columns).max() <= 5 * COST_MAX
    assert value <= least_total(costs.astype(float))


@few
@given(kinds, seeds, shapes, st.floats(0.9, 1.1))
def test_a_search_is_given_up_only_above_its_threshold(
    kind: Kind, seed: int, shape: tuple[int, int], share: float
) -> None:
    of = pair(kind, seed, shape)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.int32)
    threshold = of.least_total * share
    if not assign(of.costs, columns, in_units(threshold, of.unit), column_of, new_search(shape[0])):
        assert of.least_total + of.room > threshold


@settings(max_examples=200, deadline=None)
@given(seeds, st.sampled_from([64, 33, 7, 1]), st.sampled_from([1, 4, 1_000, int(COST_MAX)]), st.integers(-1, 0))
def test_a_search_ends_exactly_at_its_threshold(seed: int, count: int, largest: int, less: int) -> None:
    """From duals anywhere within their limits: none of what the search computes may overflow."""
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, largest + 1, (count, count)).astype(np.int32)
    column_of, columns = np.empty(count, np.int64), np.empty(count, np.int32)
    tighten_columns(costs, rng.integers(-DUAL_MAX, DUAL_MAX + 1, count).astype(np.int32), columns)
    cheapest = int(least_total(costs.astype(float)))
    assert assign(costs, columns, np.int64(cheapest + less), column_of, new_search(count)) == (less == 0)
    if less == 0:
        assert sorted(column_of.tolist()) == list(range(count))
        assert costs[np.arange(count), column_of].sum() == cheapest
        reduced = costs.astype(int) - columns
        assert (reduced.min(1) == reduced[np.arange(count), column_of]).all()


@few
@every_world
def test_an_assignment_is_one_and_the_cheapest_of_costs_in_units(
    kind: Kind, seed: int, shape: tuple[int, int], is_integer: bool
) -> None:
    of = pair(kind, seed, shape, is_integer)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.int32)
    assert assign(of.costs, columns, NO_LIMIT, column_of, new_search(shape[0]))
    assert sorted(column_of.tolist()) == list(range(shape[0]))
    assert of.costs[np.arange(shape[0]), column_of].sum() == least_total(of.costs.astype(float))


@few
@every_world
def test_only_what_is_the_cheapest_gets_a_certificate(
    kind: Kind, seed: int, shape: tuple[int, int], is_integer: bool
) -> None:
    """The assignment found, and every one that exchanges the partners of two tokens of it."""
    of = pair(kind, seed, shape, is_integer)
    proof, matched = new_proof(*shape), np.empty(shape[0], np.float64)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.int32)
    assign(of.costs, columns, NO_LIMIT, column_of, new_search(shape[0]))
    for other in range(shape[0]):
        exchanged = column_of.copy()
        exchanged[[0, other]] = exchanged[[other, 0]]
        total = total_cost(of.ground, exchanged, matched, proof.squares)
        assert total <= of.true_costs[np.arange(shape[0]), exchanged].sum() + of.room
        if is_optimal(of.ground, of.costs, columns, of.unit, exchanged, matched, proof):
            assert total <= of.least_total + of.room + shape[0] * 2.0**-44 * matched.max()


@few
@given(seeds, st.sampled_from([(64, 64), (33, 8), (7, 3)]), are_integers)
def test_tokens_in_general_position_get_a_certificate(seed: int, shape: tuple[int, int], is_integer: bool) -> None:
    of = pair(Kind.RANDOM, seed, shape, is_integer)
    proof, matched = new_proof(*shape), np.empty(shape[0], np.float64)
    column_of, columns = np.empty(shape[0], np.int64), np.zeros(shape[0], np.int32)
    assign(of.costs, columns, NO_LIMIT, column_of, new_search(shape[0]))
    total_cost(of.ground, column_of, matched, proof.squares)
    assert is_optimal(of.ground, of.costs, columns, of.unit, column_of, matched, proof)
