"""A temperature chosen by likelihood, against hand-made shares."""

import math

import numpy as np
import pytest

from gmv.calibrate.choosing import choose

TRIED = [0.5, 1.0, 2.0]


def shares_of(first: list[float], second: list[float], queries: int = 100) -> np.ndarray:
    """Every other query has the first shares, those between the second."""
    return np.array([first, second] * (queries // 2))


def test_it_is_chosen_on_one_half_and_judged_on_the_other() -> None:
    """The halves disagree: what is best on the first is worse on the second than the index's own."""
    found = choose(shares_of([0.9, 0.5, 0.4], [0.1, 0.5, 0.4]), TRIED, own=1.0)
    assert found is not None
    assert (found.temperature, found.own_temperature) == (0.5, 1.0)
    assert (found.chosen_on, found.judged_on) == (50, 50)
    assert (found.share, found.own_share) == (0.1, 0.5)
    assert found.gain == pytest.approx(math.log(0.1 / 0.5), abs=1e-4)
    assert found.gain_least == found.gain == found.gain_most  # all queries of the half agree
    assert "worse, -1.609 (-1.609 to -1.609)" in found.sentence()


def test_the_gain_has_the_interval_of_a_mean() -> None:
    """Of the judging half, gains are log 2 and log 0.5 in turn, and a third as many of log 4."""
    rows = []
    for number in range(60):
        rows += [[0.6, 0.3, 0.1], [[0.6, 0.3, 0.1], [0.15, 0.3, 0.1], [0.8, 0.2, 0.1]][number % 3]]
    found = choose(np.array(rows), TRIED, own=1.0)
    assert found is not None
    gains = np.log([2.0, 0.5, 4.0] * 20)
    half = 1.959964 * gains.std(ddof=1) / math.sqrt(60)
    assert found.gain == pytest.approx(gains.mean(), abs=1e-4)
    assert found.gain_least == pytest.approx(gains.mean() - half, abs=1e-4)
    assert found.gain_most == pytest.approx(gains.mean() + half, abs=1e-4)
    assert "better" in found.sentence()


def test_the_indexs_own_may_be_the_best() -> None:
    found = choose(shares_of([0.3, 0.5, 0.4], [0.2, 0.6, 0.4]), TRIED, own=1.0)
    assert found is not None
    assert found.temperature == 1.0
    assert found.gain == found.gain_least == found.gain_most == 0.0
    assert "which is the index's own" in found.sentence()


def test_queries_without_a_source_among_their_contributors_decide_nothing() -> None:
    found = choose(np.concatenate([shares_of([0.3, 0.5, 0.4], [0.2, 0.6, 0.4]), np.zeros((31, 3))]), TRIED, own=2.0)
    assert found is not None
    assert (found.chosen_on, found.judged_on) == (50, 50)


def test_giving_all_to_a_stranger_costs_no_more_than_a_micro_credit_can_tell() -> None:
    found = choose(shares_of([1e-300, 0.5, 0.4], [1e-300, 0.5, 0.4]), TRIED, own=0.5)
    assert found is not None
    assert found.own_log_share == pytest.approx(math.log(1e-6), abs=1e-4)


@pytest.mark.parametrize("queries", [0, 2, 38])
def test_too_few_queries_choose_nothing(queries: int) -> None:
    assert choose(np.full((queries, 3), 0.5), TRIED, own=1.0) is None
