"""A commit refused for its position or its events changes nothing (I4)."""

import pytest

from gmv.ledger.port import (
    MICROS_MAX,
    AlreadyCommitted,
    Batch,
    Committed,
    Duplicate,
    Fenced,
    Known,
    Rewound,
)
from tests.contract.worlds import LedgerWorld, refuse
from tests.ledger.batches import START, at, batch, entry, identity


@pytest.fixture
def moved(made: LedgerWorld) -> LedgerWorld:
    made.ledger().commit(batch(START, at(10, "b1"), {"alice": 5}, [entry(1)]))
    made.ledger().commit(batch(at(10, "b1"), at(20, "b2"), {"alice": 5}, [entry(2)]))
    return made


def test_a_batch_sent_again_was_committed_already(moved: LedgerWorld) -> None:
    again = batch(at(10, "b1"), at(20, "b2"), {"alice": 5}, [entry(2)])
    assert refuse(moved, again) == AlreadyCommitted()


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(batch(START, at(10, "b1"), {"alice": 5}, [entry(1)]), id="sent again after the next one"),
        pytest.param(batch(START, at(20, "other"), {"alice": 9}), id="to the same offset with other receipts"),
        pytest.param(batch(at(15, "other"), at(25, "other"), {"alice": 9}), id="from within a committed batch"),
        pytest.param(batch(at(20, "other"), at(30, "b3"), {"alice": 9}), id="from another history"),
        pytest.param(batch(at(20, "b2", leader_epoch=4), at(30, "b3"), {"alice": 9}), id="of another epoch"),
        pytest.param(batch(at(20, "b2", "log 2"), at(30, "b3", "log 2"), {"alice": 9}), id="of another log"),
        pytest.param(batch(at(99, "b9", "log 2"), at(100, "b", "log 2"), {"alice": 9}), id="far on in another log"),
    ],
)
def test_somebody_else_was_here(moved: LedgerWorld, late: Batch) -> None:
    assert refuse(moved, late) == Fenced(at(20, "b2"))


def test_the_server_lost_a_tail(moved: LedgerWorld) -> None:
    assert refuse(moved, batch(at(30, "b3"), at(40, "b4"), {"alice": 9})) == Rewound(at(20, "b2"))


@pytest.mark.parametrize("repeats", [{7: 0}, {1: 0, 7: 0}, {1: 5}])
def test_an_event_taken_for_credited_was_in_another_partitions_lost_tail(
    moved: LedgerWorld, repeats: dict[int, int]
) -> None:
    refused = batch(at(20, "b2"), at(30, "b3"), {"alice": 9}, [entry(3)], duplicates=1, repeats=repeats)
    assert refuse(moved, refused) == Rewound(at(20, "b2"))


def test_an_event_taken_for_credited_was(moved: LedgerWorld) -> None:
    repeating = batch(at(20, "b2"), at(30, "b3"), {"alice": 9}, [entry(3)], duplicates=2, repeats={1: 0, 2: 0})
    assert moved.ledger().commit(repeating) == Committed()


def test_an_event_is_not_credited_and_taken_for_credited(moved: LedgerWorld) -> None:
    with pytest.raises(ValueError, match="twice"):
        moved.ledger().commit(batch(at(20, "b2"), at(30, "b3"), entries=[entry(3)], repeats={3: 0}))


def test_the_position_is_looked_at_before_anything_else(moved: LedgerWorld) -> None:
    stale = batch(START, at(30, "b9"), {"alice": MICROS_MAX}, [entry(1)])
    assert refuse(moved, stale) == Fenced(at(20, "b2"))


def test_all_known_events_are_named(made: LedgerWorld) -> None:
    made.ledger().commit(batch(credits={"alice": 1}, entries=[entry(number) for number in range(5)]))
    again = batch(at(10), credits={"alice": 1}, entries=[entry(number) for number in (9, 4, 8, 0, 2)])
    assert refuse(made, again) == Duplicate(frozenset({identity(0), identity(2), identity(4)}))


def test_partitions_of_one_book_share_what_they_know(made: LedgerWorld, books: int) -> None:
    made.ledger().commit(batch(credits={"alice": 1}, entries=[entry(1, 3)]))
    again = batch(credits={"alice": 1}, entries=[entry(1, 5)], partition=books)
    if books == 3:
        assert made.ledger().known(books, [identity(1)]) == {identity(1): Known(0, 3, bytes(8))}
    assert refuse(made, again) == Duplicate(frozenset({identity(1)}))


def test_books_do_not_know_of_each_other(made: LedgerWorld, books: int) -> None:
    made.ledger().commit(batch(credits={"alice": 1}, entries=[entry(1)]))
    answer = made.ledger().commit(batch(credits={"alice": 1}, entries=[entry(1)], partition=1))
    assert answer == (Duplicate(frozenset({identity(1)})) if books == 1 else Committed())


def test_identities_may_hold_any_byte(made: LedgerWorld) -> None:
    raw = [bytes(16), b"\xff" * 16, b"#s:micros\x00\n\r\n:::", bytes(range(16))]
    entries = [entry(int.from_bytes(value, "big")) for value in raw]
    made.ledger().commit(batch(entries=entries))
    assert made.ledger().known(0, raw).keys() == set(raw)
    assert refuse(made, batch(at(10), entries=entries)) == Duplicate(frozenset(raw))


def test_an_event_asked_for_twice_is_known_once(made: LedgerWorld) -> None:
    made.ledger().commit(batch(entries=[entry(1)]))
    assert list(made.ledger().known(0, [identity(1), identity(1)])) == [identity(1)]
    assert made.ledger().known(0, []) == {}
