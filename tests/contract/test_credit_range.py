"""What is too large, too much or no integer never reaches a ledger (I10)."""

import numpy as np
import pytest

from gmv.errors import CreditOutOfRange
from gmv.ledger.port import (
    FIELDS_MAX,
    MICROS_MAX,
    Batch,
    Committed,
    OutOfRange,
    Sums,
    fields_of,
)
from tests.contract.worlds import LedgerWorld, refuse
from tests.ledger.batches import START, TOPIC, at, batch, entry


def test_a_total_may_reach_the_largest_and_not_pass_it(made: LedgerWorld) -> None:
    ledger = made.ledger()
    assert ledger.commit(batch(credits={"alice": MICROS_MAX - 1})) == Committed()
    assert refuse(made, batch(at(10), credits={"bob": 0, "alice": 2})) == OutOfRange("o:alice")
    assert ledger.commit(batch(at(10), credits={"alice": 1})) == Committed()
    assert made.accounts().totals(["alice"]) == {"alice": MICROS_MAX}
    assert refuse(made, batch(at(20), credits={"alice": 1})) == OutOfRange("o:alice")


def test_the_books_sum_has_the_same_range(made: LedgerWorld) -> None:
    made.ledger().commit(batch(credits={"alice": MICROS_MAX}))
    assert refuse(made, batch(at(10), credits={"bob": 1})) == OutOfRange("#s:micros")
    assert refuse(made, batch(at(10), credits={"bob": 0}, dead_letters=MICROS_MAX + 1)) == OutOfRange("#s:dead_letters")


@pytest.mark.parametrize("micros", [MICROS_MAX + 1, MICROS_MAX + 2, 2**63, 2**64 + 1, 10**30])
def test_a_credit_of_any_size_is_refused_in_words(made: LedgerWorld, micros: int) -> None:
    assert refuse(made, batch(credits={"alice": 1, "bob": micros})) == OutOfRange("o:bob")


def test_many_large_credits(made: LedgerWorld) -> None:
    earned = {f"owner {number}": MICROS_MAX for number in range(3_000)}
    assert refuse(made, batch(credits=earned)) == OutOfRange("#s:micros")


def test_digits_are_exact_to_the_last(made: LedgerWorld) -> None:
    ledger = made.ledger()
    amounts = [9_007_199_254_740_000, 7, 123, 861]
    for number, micros in enumerate(amounts):
        expected = at(number * 10) if number else START
        assert ledger.commit(batch(expected, credits={"alice": micros})) == Committed()
    assert made.accounts().totals(["alice"]) == {"alice": 9_007_199_254_740_991}


@pytest.mark.parametrize("events", [0, 1_000, 3_895], ids=lambda events: f"{events} events")
def test_the_largest_batch(made: LedgerWorld, events: int) -> None:
    owners = FIELDS_MAX - 5 - events
    largest = batch(
        credits={f"owner {number}": number for number in range(owners)},
        entries=[entry(number) for number in range(events)],
    )
    assert fields_of(largest) == FIELDS_MAX
    assert made.ledger().commit(largest) == Committed()
    assert made.accounts().sums() == Sums(owners * (owners - 1) // 2, events, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(batch(credits={f"owner {number}": 1 for number in range(3_896)}), id="a field too many"),
        pytest.param(batch(credits={"alice": 5, "bob": -1}), id="negative"),
        pytest.param(batch(credits={"alice": 0.5}), id="half a micro-credit"),  # type: ignore[dict-item]
        pytest.param(batch(credits={"alice": 1.0}), id="a float"),  # type: ignore[dict-item]
        pytest.param(batch(credits={"alice": float("nan")}), id="no number"),  # type: ignore[dict-item]
        pytest.param(batch(credits={"alice": np.int64(3)}), id="numpy's integer"),  # type: ignore[dict-item]
        pytest.param(batch(credits={"alice": True}), id="a truth"),
        pytest.param(batch(credits={"alice": "7"}), id="a text"),  # type: ignore[dict-item]
        pytest.param(batch(dead_letters=-1), id="negative dead letters"),
        pytest.param(batch(duplicates=-1), id="negative duplicates"),
    ],
)
def test_what_no_ledger_accepts(made: LedgerWorld, wrong: Batch) -> None:
    before = made.dump()
    with pytest.raises(CreditOutOfRange, match=TOPIC):
        made.ledger().commit(wrong)
    assert made.dump() == before


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(batch(at(10), at(10, "b2"), {"alice": 1}), id="stays where it is"),
        pytest.param(batch(at(10), at(9, "b2"), {"alice": 1}), id="goes back"),
        pytest.param(batch(entries=[entry(1, 0), entry(1, 1)]), id="an event twice"),
    ],
)
def test_what_only_a_mistake_of_ours_can_make(made: LedgerWorld, wrong: Batch) -> None:
    before = made.dump()
    with pytest.raises(ValueError, match=TOPIC):
        made.ledger().commit(wrong)
    assert made.dump() == before
