"""Whole attributions in worlds small enough to know the credit by hand."""

import math

from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.attribution import owner_credits, value_contributors, withheld
from gmv.valuation.types import Attribution, Candidate


def candidate(name: str, distance: float, owner: str = "ada", weight: float = 1.0) -> Candidate:
    return Candidate(name, owner, weight, distance)


def shares(attribution: Attribution) -> dict[str, int]:
    return {contributor.image_id: contributor.micros for contributor in attribution.contributors}


def test_one_contributor_earns_the_whole_credit() -> None:
    assert shares(value_contributors([candidate("a", 123.0)], 1.0, 1.0)) == {"a": 1_000_000}


def test_an_exact_copy_beside_a_stranger() -> None:
    """d = 0 and d = ln 4 at tau = 1 share as 4 : 1."""
    valued = value_contributors([candidate("a", 0.0), candidate("b", math.log(4))], 1.0, 1.0)
    assert shares(valued) == {"a": 800_000, "b": 200_000}


def test_three_exact_copies_share_by_largest_remainder_in_order_of_id() -> None:
    valued = value_contributors([candidate(name, 0.0) for name in "abc"], 1.0, 1.0)
    assert shares(valued) == {"a": 333_334, "b": 333_333, "c": 333_333}


def test_quality_scales_the_budget_and_weight_its_own_share_only() -> None:
    pair = [candidate("a", 1.0), candidate("b", 1.0, owner="bob", weight=0.5)]
    valued = value_contributors(pair, 0.5, 1.0)
    assert valued.micros == 375_000
    assert shares(valued) == {"a": 250_000, "b": 125_000}
    assert owner_credits([valued]) == {"ada": 250_000, "bob": 125_000}


def test_nothing_to_share() -> None:
    assert value_contributors([], 1.0, 1.0) == Attribution((), 1.0, 1.0, 0)
    assert value_contributors([candidate("a", 1.0, weight=0.0)], 1.0, 1.0).micros == 0
    unpaid = value_contributors([candidate("a", 1.0)], 0.0, 1.0)
    assert (unpaid.micros, owner_credits([unpaid])) == (0, {})


def test_an_owner_of_several_contributors_earns_their_sum() -> None:
    valued = value_contributors([candidate("a", 1.0), candidate("b", 1.0), candidate("c", 1.0, owner="bob")], 1.0, 1.0)
    assert owner_credits([valued, valued]) == {"ada": 2 * 666_667, "bob": 2 * 333_333}


def test_without_evidence_the_whole_budget_is_unattributed_and_contributors_stay_to_be_seen() -> None:
    pair = [candidate("a", 1.0), candidate("b", 1.0, owner="bob", weight=0.5)]
    valued, unpaid = value_contributors(pair, 0.5, 1.0), withheld(value_contributors(pair, 0.5, 1.0))
    assert (unpaid.micros, unpaid.unattributed_micros, shares(unpaid)) == (375_000, 375_000, {"a": 0, "b": 0})
    assert [each.utility for each in unpaid.contributors] == [each.utility for each in valued.contributors]
    assert owner_credits([unpaid, valued]) == {"unattributed": 375_000, "ada": 250_000, "bob": 125_000}
    nothing = withheld(value_contributors([], 1.0, 1.0))
    assert (nothing.micros, nothing.is_nobody_left, owner_credits([nothing])) == (0, True, {})


@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1)), min_size=1, max_size=30),
    st.floats(0, 1),
    st.floats(0.01, 100),
)
def test_credits_of_an_event_sum_to_its_budget(
    pairs: list[tuple[float, float]], quality: float, temperature: float
) -> None:
    """I1, and no event is worth more than one credit."""
    candidates = [candidate(f"{place:02}", d, weight=w) for place, (d, w) in enumerate(pairs)]
    valued = value_contributors(candidates, quality, temperature)
    assert sum(contributor.micros for contributor in valued.contributors) == valued.micros
    assert sum(owner_credits([withheld(valued)]).values()) == valued.micros
    assert 0 <= valued.micros <= 1_000_000
    assert all(contributor.micros >= 0 for contributor in valued.contributors)
