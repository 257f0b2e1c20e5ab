"""Largest remainders, checked against the definition in exact fractions."""

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.apportion import apportion, budget_micros

worths = st.lists(st.floats(0, 1, allow_subnormal=True), min_size=1, max_size=12)


def ids(count: int) -> list[str]:
    return [f"image-{place:02}" for place in range(count)]


@given(worths, st.integers(0, 10**9))
def test_shares_add_up_exactly_and_stay_within_one_of_their_quota(worth: list[float], budget: int) -> None:
    shares = apportion(budget, worth, ids(len(worth)))
    whole = sum(map(Fraction, worth))
    if whole == 0:
        assert shares == [0] * len(worth)
        return
    assert sum(shares) == budget
    for share, part in zip(shares, worth, strict=True):
        assert abs(share - budget * Fraction(part) / whole) < 1


@given(worths, st.integers(0, 10**6))
def test_no_other_rounding_has_smaller_largest_remainders(worth: list[float], budget: int) -> None:
    """Hamilton's definition: nobody rounded down has a larger remainder than somebody rounded up."""
    whole = sum(map(Fraction, worth))
    if whole == 0:
        return
    shares = apportion(budget, worth, ids(len(worth)))
    quotas = [budget * Fraction(part) / whole for part in worth]
    remainders = [quota - quota.__floor__() for quota in quotas]
    up = {place for place, quota in enumerate(quotas) if shares[place] > quota.__floor__()}
    for rounded_up, rounded_down in itertools.product(up, set(range(len(worth))) - up):
        assert (remainders[rounded_up], -rounded_up) >= (remainders[rounded_down], -rounded_down)


def test_equal_remainders_are_served_in_order_of_id() -> None:
    assert apportion(1_000_000, [1.0, 1.0, 1.0], ["c", "a", "b"]) == [333_333, 333_334, 333_333]


def test_known_shares() -> None:
    assert apportion(10, [0.5, 0.25, 0.25], ["a", "b", "c"]) == [5, 3, 2]
    assert apportion(0, [0.5, 0.5], ["a", "b"]) == [0, 0]
    assert apportion(7, [1.0], ["a"]) == [7]
    assert apportion(1, [5e-324, 1.0], ["a", "b"]) == [0, 1]
    assert apportion(1_000_000, [0.0, 0.0], ["a", "b"]) == [0, 0]
    assert apportion(5, [], []) == []


def test_budget_rounds_halves_to_even() -> None:
    assert budget_micros([0.1] * 10, 1_000_000) == 1_000_000
    assert budget_micros([0.25], 10) == 2
    assert budget_micros([0.35], 10) == 4
    assert budget_micros([], 1_000_000) == 0
