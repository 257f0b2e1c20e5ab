"""Exact values of players: games whose values are known, brute force over orders, and the axioms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gmv.experiments.games import banzhaf_values, leave_one_out, players_of, shapley_values

FINITE = st.floats(-100, 100)


@st.composite
def games(draw, least=1, most=5):
    players = draw(st.integers(least, most))
    return draw(arrays(np.float64, 2**players, elements=FINITE))


def additive(worth):
    """A subset is worth the sum of its players."""
    subsets = np.arange(2 ** len(worth))
    return sum((subsets >> player & 1) * each for player, each in enumerate(worth))


def unanimity(players, needed):
    """1 where all that are needed are in, else 0."""
    subsets = np.arange(2**players)
    wanted = sum(2**player for player in needed)
    return (subsets & wanted == wanted).astype(np.float64)


def by_orders(utilities):
    """What each player adds to those before it, mean over all orders."""
    players = players_of(utilities)
    orders = list(permutations(range(players)))
    total = np.zeros(players)
    for order in orders:
        subset = 0
        for player in order:
            total[player] += utilities[subset | 1 << player] - utilities[subset]
            subset |= 1 << player
    return total / len(orders)


@pytest.mark.parametrize("value", [shapley_values, banzhaf_values, leave_one_out])
def test_an_additive_game_pays_each_its_own(value):
    worth = [3.0, -1.0, 0.0, 0.5]
    assert value(additive(worth)).tolist() == pytest.approx(worth)


def test_the_glove_game_by_hand():
    """Players 0 and 1 have a left glove each, player 2 the right one; a pair is worth 1."""
    utilities = np.array([0, 0, 0, 0, 0, 1, 1, 1.0])
    assert shapley_values(utilities).tolist() == pytest.approx([1 / 6, 1 / 6, 4 / 6])
    assert banzhaf_values(utilities).tolist() == pytest.approx([1 / 4, 1 / 4, 3 / 4])
    assert leave_one_out(utilities).tolist() == [0, 0, 1]


def test_a_unanimity_game_by_hand():
    """Three of five are needed: a third each, and each of them turns one subset of four of the others'."""
    utilities = unanimity(5, (0, 2, 3))
    assert shapley_values(utilities).tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3, 0])
    assert banzhaf_values(utilities).tolist() == pytest.approx([1 / 4, 0, 1 / 4, 1 / 4, 0])
    assert leave_one_out(utilities).tolist() == [1, 0, 1, 1, 0]


@given(games())
def test_shapley_values_are_means_over_orders(utilities):
    np.testing.assert_allclose(shapley_values(utilities), by_orders(utilities), atol=1e-9)


@given(games())
def test_shapley_values_sum_to_what_all_add(utilities):
    assert shapley_values(utilities).sum() == pytest.approx(utilities[-1] - utilities[0], abs=1e-9)


@pytest.mark.parametrize("value", [shapley_values, banzhaf_values, leave_one_out])
@given(data=st.data())
def test_values_are_linear(value, data):
    one = data.draw(games())
    other = data.draw(arrays(np.float64, len(one), elements=FINITE))
    factor = data.draw(FINITE)
    np.testing.assert_allclose(value(one + factor * other), value(one) + factor * value(other), atol=1e-7)


@pytest.mark.parametrize("value", [shapley_values, banzhaf_values, leave_one_out])
@given(utilities=games(most=4), added=FINITE)
def test_who_always_adds_the_same_is_worth_that(value, utilities, added):
    """And who never adds anything, nothing; of the others nothing changes."""
    with_one_more = np.concatenate([utilities, utilities + added])
    *others, last = value(with_one_more)
    assert last == pytest.approx(added, abs=1e-9)
    np.testing.assert_allclose(others, value(utilities), atol=1e-9)


@pytest.mark.parametrize("value", [shapley_values, banzhaf_values, leave_one_out])
@given(utilities=games(least=2))
def test_players_who_add_alike_are_worth_alike(value, utilities):
    """A game, and the same with players 0 and 1 exchanged: their sum knows no difference between these."""
    subsets = np.arange(len(utilities))
    exchanged = (subsets & ~3) | (subsets & 1) << 1 | (subsets & 2) >> 1
    first, second, *_ = value(utilities + utilities[exchanged])
    assert first == pytest.approx(second, abs=1e-9)


@pytest.mark.parametrize("count", [3, 6, 1000])
def test_what_are_not_all_subsets_is_no_game(count):
    with pytest.raises(ValueError, match=f"{count} utilities are not those of all subsets"):
        shapley_values(np.zeros(count))
