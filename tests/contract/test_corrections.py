"""Corrections are batches like any other, that may take away what an owner has, and never more."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmv.errors import CreditOutOfRange
from gmv.ledger.port import MICROS_MAX, Batch, Committed, Duplicate, Fenced, OutOfRange, Sums
from gmv.ledger.sums import book_of
from gmv.ledger.verify import conservation
from tests.contract.worlds import LedgerWorld, balances, refuse
from tests.ledger.batches import START, at, batch, entry

CORRECTIONS = "corrections/june.jsonl"


@pytest.fixture
def credited(made: LedgerWorld) -> LedgerWorld:
    """Alice has 700, bob 300, in the book of partition 0, by one event; corrections may begin in any book."""
    made.registry().register(CORRECTIONS, dict.fromkeys(range(4), START))
    assert made.ledger().commit(batch(credits={"alice": 700, "bob": 300}, entries=[entry(1)])) == Committed()
    return made


def correction(
    debits: Mapping[str, int],
    given_to: Mapping[str, int] | None = None,
    number: int = 9,
    **changes: object,
) -> Batch:
    given = batch(credits=given_to, entries=[entry(number)], topic=CORRECTIONS)
    return replace(given, debits=debits, is_correction=True, **changes)  # type: ignore[arg-type]


def test_what_is_taken_from_one_is_given_to_another(credited: LedgerWorld) -> None:
    assert credited.ledger().commit(correction({"alice": 700}, {"carol": 699, "bob": 1})) == Committed()
    assert balances(credited) == {"alice": 0, "bob": 301, "carol": 699}
    assert credited.accounts().sums() == Sums(1_000, 1, 0, 0, 1)
    assert conservation(credited.accounts()).complaints == ()


def test_or_withdrawn(credited: LedgerWorld) -> None:
    assert credited.ledger().commit(correction({"alice": 600, "bob": 300})) == Committed()
    assert balances(credited) == {"alice": 100, "bob": 0}
    assert credited.accounts().sums() == Sums(100, 1, 0, 0, 1)
    assert conservation(credited.accounts()).complaints == ()


@pytest.mark.parametrize("debits", [{"alice": 701}, {"alice": 1, "nobody": 1}, {"bob": 300, "alice": MICROS_MAX}])
def test_no_total_falls_below_zero_and_nothing_else_is_changed(credited: LedgerWorld, debits: dict[str, int]) -> None:
    lacking = next(owner for owner, micros in debits.items() if micros > {"alice": 700, "bob": 300}.get(owner, 0))
    assert refuse(credited, correction(debits, {"carol": 1})) == OutOfRange(f"o:{lacking}")


def test_one_that_was_applied_is_not_applied_again(credited: LedgerWorld) -> None:
    ledger, applied = credited.ledger(), correction({"alice": 100}, {"bob": 100})
    ledger.commit(applied)
    assert refuse(credited, replace(applied, next=at(99))) == Fenced(applied.next)
    assert refuse(credited, replace(applied, expected=applied.next, next=at(99))) == Duplicate(
        frozenset([entry(9).identity])
    )
    assert set(ledger.known(0, [entry(9).identity])) == {entry(9).identity}


def test_a_book_pays_for_its_own(credited: LedgerWorld, books: int) -> None:
    """Alice has something in the book of partition 0 alone."""
    taken = correction({"alice": 1}, partition=1)
    answer = credited.ledger().commit(taken)
    assert answer == (Committed() if book_of(1, books) == 0 else OutOfRange("o:alice"))


def test_totals_of_one_book(credited: LedgerWorld, books: int) -> None:
    credited.ledger().commit(batch(credits={"alice": 5}, partition=1))
    accounts = credited.accounts()
    assert accounts.books() == books
    per_book = [accounts.totals(["alice", "nobody"], book).get("alice", 0) for book in range(books)]
    assert per_book == ([705] if books == 1 else [700, 5, 0])
    assert accounts.totals(["alice"]) == {"alice": 705}


@pytest.mark.parametrize(
    "refused",
    [
        replace(batch(), debits={"alice": 1}),
        correction({"alice": 0}),
        correction({"alice": -1}),
        correction({"alice": True}),
        correction({"alice": 1.0}),  # type: ignore[dict-item]
        correction({"alice": 1}, {"alice": 1}),
        correction({}, {"alice": -1}),
    ],
)
def test_what_is_no_correction_is_sent_nowhere(credited: LedgerWorld, refused: Batch) -> None:
    before = credited.dump()
    with pytest.raises(CreditOutOfRange):
        credited.ledger().commit(refused)
    assert credited.dump() == before


OWNERS = ["alice", "bob", "carol", "#p:x", ""]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(OWNERS), st.integers(1, 400), max_size=3),
            st.dictionaries(st.sampled_from(OWNERS), st.integers(0, 400), max_size=3),
        ),
        max_size=6,
    )
)
def test_any_corrections_leave_the_totals_of_a_dictionary(
    place: LedgerWorld, drawn_changes: list[tuple[dict[str, int], dict[str, int]]]
) -> None:
    registry = place.registry()
    registry.create()
    topic = f"corrections/{len(list(place.accounts().positions()))}"
    registry.register(topic, {0: START})
    held = {owner: balances(place).get(owner, 0) for owner in OWNERS}
    ledger, position = place.ledger(), START
    for debits, drawn in drawn_changes:
        given_to = {owner: micros for owner, micros in drawn.items() if owner not in debits}
        following = at(position.next_offset + 1)
        answer = ledger.commit(Batch(topic, 0, position, following, given_to, [], debits=debits, is_correction=True))
        after = {owner: held[owner] + given_to.get(owner, 0) - debits.get(owner, 0) for owner in OWNERS}
        if min(after.values()) < 0:
            assert isinstance(answer, OutOfRange)
        else:
            assert answer == Committed()
            held, position = after, following
        assert {owner: balances(place).get(owner, 0) for owner in OWNERS} == held
    assert place.accounts().sums().micros == sum(held.values())
