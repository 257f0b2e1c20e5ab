"""The softmax over distances, against closed forms and 50 decimal digits."""

import itertools
import math
import random
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.utility import effective_contributors, utilities

distances = st.lists(st.floats(0, 1e4), min_size=1, max_size=30)


def softmax_in_decimal(values: list[float], temperature: float) -> list[float]:
    with localcontext() as context:
        context.prec = 50
        powers = [(-Decimal(value) / Decimal(temperature)).exp() for value in values]
        return [float(power / sum(powers)) for power in powers]


@given(st.lists(st.floats(0, 50), min_size=1, max_size=10), st.floats(0.05, 20))
def test_equals_the_formula_in_fifty_digits(values: list[float], temperature: float) -> None:
    for ours, exact in zip(utilities(values, temperature), softmax_in_decimal(values, temperature), strict=True):
        assert ours == pytest.approx(exact, rel=1e-12, abs=1e-300)


@given(distances, st.floats(0.01, 100))
def test_sums_to_one_and_prefers_the_nearer(values: list[float], temperature: float) -> None:
    shares = utilities(values, temperature)
    assert math.fsum(shares) == pytest.approx(1.0, abs=1e-12)
    ranked = sorted(zip(values, shares, strict=True))
    assert all(near[1] >= far[1] for near, far in itertools.pairwise(ranked))


def test_shares_are_the_same_bits_in_any_order_of_contributors() -> None:
    """Added up one by one, exponentials come to other last bits in another order."""
    draw = random.Random(1)
    for _ in range(50):
        values = [draw.uniform(0, 5) for _ in range(10)]
        assert utilities(values[::-1], 1.0) == utilities(values, 1.0)[::-1]


def test_large_distances_do_not_underflow() -> None:
    """exp(-10000) is 0 in float64, so the formula as printed would be 0/0."""
    assert utilities([10_000.0, 10_000.0], 1.0) == [0.5, 0.5]
    assert utilities([10_000.0, 20_000.0], 1.0) == [1.0, 0.0]


def test_known_worlds() -> None:
    assert utilities([], 1.0) == []
    assert utilities([3.0], 0.5) == [1.0]
    assert utilities([0.0, math.log(3)], 1.0) == pytest.approx([0.75, 0.25])


def test_effective_contributors() -> None:
    assert effective_contributors([1.0, 0.0]) == pytest.approx(1.0)
    assert effective_contributors([0.25] * 4) == pytest.approx(4.0)


@given(distances, st.floats(0.01, 100))
def test_effective_contributors_lie_between_one_and_all(values: list[float], temperature: float) -> None:
    effective = effective_contributors(utilities(values, temperature))
    assert 1.0 - 1e-9 <= effective <= len(values) * (1.0 + 1e-9)
