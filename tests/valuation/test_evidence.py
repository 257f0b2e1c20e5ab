"""Evidence in worlds small enough to know it by hand, and what conformal p-values promise."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.evidence import EvidenceRule, least_p_value, p_value, ratio

RATIOS = st.integers(0, 40).map(lambda hundredths: hundredths / 40)
"""Few different ones, so that there are ties."""


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ([0.5, 0.6, 0.7, 0.8, 1.0, 1.1], 0.5),  # by the fifth, not by the last
        ([0.3, 0.4], 0.75),  # fewer: by the last, which is more
        ([0.7], 1.0),
        ([], 1.0),
        ([0.0, 0.0, 0.0, 0.0, 0.0], 0.0),  # five exact copies are copies
        ([0.0], 0.0),
        ([1.0, 2.0, 3.0, 3.0, 3.0], 0.3333),
    ],
)
def test_the_ratio_of_the_nearest(distances: list[float], expected: float) -> None:
    assert ratio(distances) == expected


def test_p_values_by_hand() -> None:
    left_out = (0.5, 0.7, 0.7, 0.9)
    found = [p_value(each, left_out) for each in (0.0, 0.5, 0.6, 0.7, 0.95)]
    assert found == [0.2, 0.4, 0.4, 0.8, 1.0]
    assert least_p_value(left_out) == 0.2
    assert (p_value(0.0, ()), least_p_value(())) == (1.0, 1.0)


@given(st.lists(RATIOS, min_size=1, max_size=60), st.integers(1, 19))
def test_of_exchangeable_images_at_most_the_level_is_reliable(ratios: list[float], twentieths: int) -> None:
    """Whichever of n + 1 images is the event, the others are what it is compared with: exact, with ties, for any."""
    level = Fraction(twentieths, 20)
    others = [tuple(sorted(ratios[:place] + ratios[place + 1 :])) for place in range(len(ratios))]
    low = [Fraction(p_value(each, rest)) <= level for each, rest in zip(ratios, others, strict=True)]
    assert sum(low) <= level * len(ratios)


@given(st.lists(RATIOS, max_size=60), RATIOS, RATIOS)
def test_nearer_is_never_less_evidence(ratios: list[float], one: float, other: float) -> None:
    nearer, farther = sorted((one, other))
    assert 0 < p_value(nearer, sorted(ratios)) <= p_value(farther, sorted(ratios)) <= 1


def test_a_flat_picture_is_unreliable_however_near() -> None:
    rule = EvidenceRule(tuple(place / 100 for place in range(1, 100)))
    copy, flat, unlike = rule.judge([0.0, 1.0], False), rule.judge([0.0, 1.0], True), rule.judge([0.06, 1.0], False)
    assert (copy.p_value, copy.is_reliable) == (0.01, True)
    assert (flat.p_value, flat.is_flat, flat.is_reliable) == (0.01, True, False)
    assert (unlike.p_value, unlike.is_reliable) == (0.07, False)
    assert rule.judge([0.04, 1.0], False).is_reliable, "a p-value of the level itself is enough"
