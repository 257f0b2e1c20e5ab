"""Tests of significance against numbers that were computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.experiments.statistics import compare, judge_null, over_seeds, random_halves


def test_students_t_by_hand():
    """Means 4 and 1, variances 4 and 1, three of each: pooled 2.5, t = 3 / sqrt(2.5 * 2 / 3)."""
    found = compare(np.array([2.0, 4.0, 6.0]), np.array([0.0, 1.0, 2.0]))
    t = 3 / math.sqrt(2.5 * 2 / 3)
    assert (found.v1_mean, found.v2_mean, found.ratio, found.n1, found.n2) == (4, 1, 4, 3, 3)
    assert found.t == pytest.approx(t)
    # Of 4 degrees of freedom, the distribution is 1/2 + 3/8 (u - u^3 / 12), with u = t / sqrt(1 + t^2 / 4).
    u = t / math.sqrt(1 + t * t / 4)
    assert found.p == pytest.approx(2 * (0.5 - 3 / 8 * u * (1 - u * u / 12)))
    assert found.effect == pytest.approx(3 / math.sqrt(2.5))
    half = 2.776445105 * math.sqrt(2.5 * 2 / 3)
    assert (found.difference_low, found.difference_high) == pytest.approx((3 - half, 3 + half))


@pytest.mark.parametrize(("v2", "p", "t"), [(1.0, 1.0, 0.0), (0.0, 0.0, math.inf), (2.0, 0.0, -math.inf)])
def test_values_that_do_not_vary(v2, p, t):
    found = compare(np.ones(4), np.full(4, v2))
    assert (found.p, found.t) == (p, t)
    assert found.ratio == (None if v2 == 0 else 1 / v2)


def test_an_interval_over_seeds_by_hand():
    """1, 2, 3: standard error 1 / sqrt(3), and Student's quantile of 2 degrees of freedom is 4.302653."""
    found = over_seeds([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert (found.low, found.high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)))
    assert over_seeds([5.0]).low is None


def test_rejections_of_a_null_are_counted():
    found = judge_null([0.5, 0.009, 0.01, 0.2])
    assert (found.repetitions, found.rejections, found.level) == (4, 1, 0.01)
    assert found.p == pytest.approx(1 - 0.99**4)


@given(st.integers(2, 50), st.integers(0, 100))
def test_random_halves_share_nothing(count, seed):
    one, other = random_halves(np.arange(count), np.random.default_rng(seed))
    assert len(one) == len(other) == count // 2
    assert not set(one.tolist()) & set(other.tolist())
