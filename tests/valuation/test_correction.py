"""Corrections added up, and the first that cannot be paid."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.correction import Correction, Net, net, overdrawn
from gmv.valuation.receipt import changes_of, is_correction, seal, unseal

OWNERS = st.sampled_from(["ada", "ben", "cy"])
CORRECTIONS = st.lists(
    st.builds(
        Correction, st.integers(0, 9), st.text(max_size=3), OWNERS, st.none() | OWNERS, st.integers(1, 9), st.just("r")
    ).filter(lambda each: each.from_owner != each.to_owner),
    max_size=8,
)


def correction(from_owner: str, to_owner: str | None, micros: int, **more: object) -> Correction:
    return Correction(0, "id", from_owner, to_owner, micros, "why", **more)  # type: ignore[arg-type]


def test_what_goes_round_changes_nothing() -> None:
    ring = [correction("ada", "ben", 5), correction("ben", "cy", 5), correction("cy", "ada", 5)]
    assert net(ring) == Net({}, {})
    assert net(ring[:2]) == Net({"cy": 5}, {"ada": 5})
    assert net([correction("ada", None, 3)]) == Net({}, {"ada": 3})


@given(CORRECTIONS, st.dictionaries(OWNERS, st.integers(0, 20)))
def test_the_first_that_cannot_be_paid_is_found(corrections: list[Correction], held: dict[str, int]) -> None:
    left = Counter(held)
    expected = None
    for each in corrections:
        if left[each.from_owner] < each.micros:
            expected = each, left[each.from_owner]
            break
        left[each.from_owner] -= each.micros
        if each.to_owner is not None:
            left[each.to_owner] += each.micros
    assert overdrawn(corrections, held) == expected


@given(CORRECTIONS)
def test_receipts_say_what_is_added_to_whom(corrections: list[Correction]) -> None:
    totals: Counter[str] = Counter()
    for each in corrections:
        (line,) = seal([each.receipt("t", 0, "")])[1]
        _, _, published = unseal(line)
        assert is_correction(published)
        assert (
            published["micros"]
            == sum(micros for _, micros in changes_of(published))
            == (-each.micros if each.to_owner is None else 0)
        )
        for owner, micros in changes_of(published):
            totals[owner] += micros
    credits, debits = net(corrections)  # noqa: A001 - the field's own word
    assert {owner: micros for owner, micros in totals.items() if micros} == credits | {
        owner: -micros for owner, micros in debits.items()
    }


@pytest.mark.parametrize(
    "other",
    [
        correction("ada", "ben", 6),
        correction("ada", "cy", 5),
        correction("ada", None, 5),
        correction("cy", "ben", 5),
        correction("ada", "ben", 5, partition=1),
        correction("ada", "ben", 5, event={"source": "/s", "id": "e"}),
        Correction(0, "id", "ada", "ben", 5, "another reason"),
    ],
)
def test_two_that_differ_in_anything_but_their_place_have_two_payloads(other: Correction) -> None:
    one = correction("ada", "ben", 5)
    assert one.payload != other.payload
    assert one.identity == other.identity
    assert Correction(7, "id", "ada", "ben", 5, "why").payload == one.payload
    assert Correction(0, "other", "ada", "ben", 5, "why").identity != one.identity
