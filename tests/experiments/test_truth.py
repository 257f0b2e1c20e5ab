"""What is measured of known truth, in worlds worked out by hand."""

import base64
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.cli.experiment.asked import Asked, plan_of
from gmv.errors import InvalidSettings
from gmv.experiments.attributing import Nearest
from gmv.experiments.report.sections import section_of
from gmv.experiments.statistics import Interval
from gmv.experiments.truth.calibrating import PAIRS_MIN, calibration_of, pairs_of
from gmv.experiments.truth.measures import (
    found_at,
    line_through,
    misplaced,
    on_owners,
    on_sources,
    owners_by_chance,
    source_shares,
)
from gmv.experiments.truth.mixing import Kind, Mixes
from gmv.experiments.truth.results import Bin, Calibration, CreditAt, FoundAt, KindResult, Truth
from gmv.experiments.values import shares_of

OWNERS = np.array(["ada", "ada", "ben", "cy", "cy"])
MIXES = Mixes(
    np.array([[0, 2], [3, 2]]),
    np.array([[0.6, 0.4], [0.5, 0.5]]),
    Nearest(
        np.array([[2, 1, 0], [4, 3, -1]]),
        np.array([[0.0, math.log(2), math.log(4)], [0.0, math.log(3), math.inf]]),
    ),
)
"""At tau 1 the first image's contributors earn 4/7, 2/7 and 1/7, those of the second 3/4 and 1/4."""


def test_sources_are_counted_among_the_nearest():
    assert found_at(MIXES, 1) == (1 / 2, 1 / 4)
    assert found_at(MIXES, 2) == (2 / 4, 2 / 4)
    assert found_at(MIXES, 3) == (3 / 6, 3 / 4)


def test_credit_on_sources_and_on_their_owners():
    np.testing.assert_allclose(shares_of(MIXES.nearest, 1.0), [[4 / 7, 2 / 7, 1 / 7], [3 / 4, 1 / 4, 0]])
    np.testing.assert_allclose(source_shares(MIXES, 1.0), [[1 / 7, 4 / 7], [1 / 4, 0]])
    assert on_sources(MIXES, 1.0) == pytest.approx((5 / 7 + 1 / 4) / 2)
    assert on_owners(MIXES, OWNERS, 1.0) == pytest.approx(1)  # all three are ada's and ben's, both others cy's
    assert on_owners(MIXES, np.array(["ada", "dan", "ben", "cy", "eve"]), 1.0) == pytest.approx((5 / 7 + 1 / 4) / 2)
    assert owners_by_chance(MIXES, OWNERS, Counter(OWNERS.tolist())) == pytest.approx(3 / 5)
    assert on_sources(MIXES, 0.01) == pytest.approx((1 + 0) / 2)


def test_what_is_misplaced():
    """Of .6 and .4 the sources have 1/7 and 4/7: 1/7 + .4 are in place. Of .5 and .5 they have 1/4 and none."""
    assert misplaced(MIXES, 1.0) == pytest.approx(1 - (1 / 7 + 0.4 + 1 / 4) / 2)


def mixes_that_earn(weights: np.ndarray, shares: np.ndarray) -> Mixes:
    """Each event's sources are its nearest, and earn these shares at tau 1."""
    rows = np.arange(weights.size).reshape(weights.shape)
    return Mixes(rows, weights, Nearest(rows, -np.log(shares)))


def weights_of(events: int, sources: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(sources, 5.0), events)


@given(st.integers(2, 5), st.integers(0, 2**16))
def test_shares_that_are_weights_are_on_the_line_and_nothing_is_misplaced(sources, seed):
    weights = weights_of(6, sources, seed)
    mixes = mixes_that_earn(weights, weights)
    assert line_through(*pairs_of([mixes], 1.0)) == pytest.approx((1, 0), abs=1e-6)
    assert misplaced(mixes, 1.0) == pytest.approx(0, abs=1e-9)
    assert on_sources(mixes, 1.0) == pytest.approx(1)
    assert found_at(mixes, sources) == (1, 1)


@given(st.integers(2, 5), st.integers(0, 2**16))
def test_credit_is_misplaced_by_half_the_differences(sources, seed):
    weights, shares = weights_of(6, sources, seed), weights_of(6, sources, seed + 1)
    assert misplaced(mixes_that_earn(weights, shares), 1.0) == pytest.approx(abs(weights - shares).sum(1).mean() / 2)


def test_a_line_by_hand():
    assert line_through(np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.4, 0.7])) == pytest.approx((1.5, -0.2))
    assert line_through(np.array([1.0, 1.0, 1 - 1e-16]), np.array([0.1, 0.4, 0.7])) is None


def test_bins_hold_what_is_above_one_edge_and_up_to_the_next():
    weights = np.array([0.1] * 10 + [0.11] * 10 + [0.35] * 9 + [1 + 1e-16] * 10)
    shares = np.array([0.0] * 10 + [0.2] * 10 + [0.5] * 9 + [0.9] * 10)
    found = calibration_of(4.0, 1.0, [(weights, shares), (weights, shares / 2)])
    assert PAIRS_MIN == 10
    assert [(each.low, each.high, each.pairs) for each in found.bins] == [(0, 0.1, 20), (0.1, 0.2, 20), (0.9, 1, 20)]
    assert [each.share.mean for each in found.bins] == pytest.approx([0, 0.15, 0.675])
    assert found.bins[1].weight.mean == pytest.approx(0.11)
    errors = [np.abs(weights - part).mean() for part in (shares, shares / 2)]
    assert found.error.mean == pytest.approx(np.mean(errors))
    assert found.slope.mean == pytest.approx(0.75 * np.polyfit(weights, shares, 1)[0])


def asked() -> Asked:
    return Asked("truth", "demo", "0", Path("out"), None, {})


def test_a_plan_has_all_kinds():
    plan = plan_of(asked(), "2, 3", "4,0.5", 20)
    assert plan.kinds == [Kind(2, 4.0), Kind(3, 4.0), Kind(2, 0.5), Kind(3, 0.5)]


@pytest.mark.parametrize(
    ("sources", "noise", "sentence"),
    [
        ("2,0", "4", "--sources '2,0': write different whole numbers"),
        ("2,x", "4", "--sources '2,x'"),
        ("2,2", "4", "--sources '2,2'"),
        ("2", "4,4.0", "--noise '4,4.0': write different numbers from 0 to 255"),
        ("2", "-1", "--noise '-1'"),
        ("2", "nan", "--noise 'nan'"),
        ("2", "loud", "--noise 'loud'"),
        ("2", "", "--noise ''"),
    ],
)
def test_what_is_no_plan_is_refused(sources, noise, sentence):
    with pytest.raises(InvalidSettings, match=sentence):
        plan_of(asked(), sources, noise, 20)


def truth() -> Truth:
    """Figures made by hand, of two kinds and one noise."""
    mean, spread = Interval(0.125, None, None), Interval(0.75, 0.5, 1.0)
    credit = (CreditAt(1.0, mean, spread, mean, None), CreditAt(0.016, spread, spread, mean, spread))
    kinds = tuple(KindResult(count, 4.0, (FoundAt(3, mean, spread),), count / 5000, mean, credit) for count in (1, 2))
    bins = (Bin(0.1, 0.2, 1234, mean, spread), Bin(0.9, 1.0, 600, spread, mean))
    lines = tuple(Calibration(4.0, tau, spread, mean, mean, bins) for tau in (1.0, 0.016))
    return Truth("truth", "gmv experiment truth", "demo", (0,), 200, 5000, 100, 10, 60, 0.016, 10, "id", kinds, lines)


def test_the_section_has_every_figure_and_a_picture():
    section = section_of(truth())
    assert section.text[-2:] == (
        "Noise 4, tau 1: sources earn 12.5% of 1, 12.5% of 2.",
        "Noise 4, tau 0.016: sources earn 75.0% of 1, 75.0% of 2.",
    )
    precision, recall, credit, lines, bins = section.tables
    assert precision.rows == (("1", "4", "0.125"), ("2", "4", "0.125"))
    assert recall.rows[1] == ("2", "4", "0.750 (0.500 to 1.000)")
    assert credit.rows[0] == ("1", "4", "1", "0.125", "0.0002", "0.750 (0.500 to 1.000)", "0.125", "0.125", "")
    assert credit.rows[3][-1] == "0.75 (0.50 to 1.00)"
    assert lines.rows[1] == ("4", "0.016", "0.75 (0.50 to 1.00)", "0.125", "0.125")
    assert bins.rows[0] == ("4", "1", "0.1 to 0.2", "1,234", "0.125", "0.750 (0.500 to 1.000)")
    assert len(bins.rows) == 4
    assert section.picture is not None
    uri, shown = section.picture()
    assert uri == section.picture()[0]
    drawing = base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode()
    assert "<svg" in drawing
    assert "mean share of credit" in shown
