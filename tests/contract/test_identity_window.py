"""For how long an event counts as credited: what window.py says, seen by what a ledger answers."""

import pytest

from gmv.errors import InvalidSettings, LedgerMissing
from gmv.ledger.port import Committed, Duplicate, Known, Rewound, Sums
from gmv.ledger.verify import conservation
from tests.contract.worlds import LedgerWorld, balances, refuse
from tests.ledger.batches import START, at, batch, entry, identity

WINDOW = 100


@pytest.fixture
def remembering(made: LedgerWorld) -> LedgerWorld:
    """Event 1 was credited at offset 9 of partition 0, now at 10, by a ledger with a window of 100 offsets."""
    made.registry().state_window(WINDOW)
    first = batch(START, at(10), {"alice": 1}, [entry(1, offset=9)])
    assert made.ledger().commit(first) == Committed()
    return made


def move_to(place: LedgerWorld, offset: int) -> None:
    assert place.ledger().commit(batch(at(10), at(offset))) == Committed()


@pytest.mark.parametrize("position", [10, 108, 109], ids=lambda offset: f"at {offset}")
def test_a_repeat_within_the_window_is_one(remembering: LedgerWorld, position: int) -> None:
    if position > 10:
        move_to(remembering, position)
    assert remembering.ledger().known(0, [identity(1)]) == {identity(1): Known(0, 9, bytes(8))}
    again = batch(at(position), credits={"alice": 1}, entries=[entry(1, offset=position)])
    assert refuse(remembering, again) == Duplicate(frozenset({identity(1)}))


def test_a_repeat_after_the_window_is_a_new_event(remembering: LedgerWorld) -> None:
    move_to(remembering, 110)
    ledger = remembering.ledger()
    assert ledger.known(0, [identity(1)]) == {}
    again = batch(at(110), at(111), {"alice": 1}, [entry(1, offset=110, payload=7)])
    assert ledger.commit(again) == Committed()
    assert balances(remembering) == {"alice": 2}
    assert remembering.accounts().sums() == Sums(2, 2, 0, 0)
    assert ledger.known(0, [identity(1)]) == {identity(1): Known(0, 110, b"\0\0\0\0\0\0\0\7")}, (
        "from now on it is that one"
    )
    assert conservation(remembering.accounts()).complaints == ()


def test_what_a_batch_takes_for_credited_has_to_count(remembering: LedgerWorld) -> None:
    """It may have expired since it was asked for, where another partition of the book moved on."""
    move_to(remembering, 109)
    assert remembering.ledger().commit(batch(at(109), at(110), duplicates=1, repeats={1: 0})) == Committed()
    assert refuse(remembering, batch(at(110), at(111), duplicates=1, repeats={1: 0})) == Rewound(at(110))


@pytest.mark.parametrize(("position", "is_one"), [(109, True), (110, False)])
def test_a_partition_far_behind_counts_by_the_partition_of_the_original(
    remembering: LedgerWorld, books: int, position: int, is_one: bool
) -> None:
    """Partition 3 shares the book and is at its start: its own position has no say."""
    move_to(remembering, position)
    lagging = batch(START, at(10), {"alice": 1}, [entry(1, offset=5)], partition=3)
    if is_one:
        assert refuse(remembering, lagging) == Duplicate(frozenset({identity(1)}))
    else:
        assert remembering.ledger().commit(lagging) == Committed()
        assert remembering.ledger().known(books, [identity(1)]) == {identity(1): Known(3, 5, bytes(8))}


@pytest.mark.parametrize("topic", ["a:b", "0", ":", "other:0", "фото"])
def test_topics_of_one_ledger_are_distinct(remembering: LedgerWorld, topic: str) -> None:
    """Each counts its own offsets, though the numbers of the partitions are the same."""
    remembering.registry().register(topic, {0: START})
    ledger = remembering.ledger()
    there = batch(START, at(10), {"bob": 1}, [entry(2, offset=9)], topic=topic)
    assert ledger.commit(there) == Committed()
    move_to(remembering, 5_000)
    assert ledger.known(0, [identity(1), identity(2)]).keys() == {identity(2)}
    again = batch(at(5_000), credits={"bob": 1}, entries=[entry(2, offset=5_000)])
    assert refuse(remembering, again) == Duplicate(frozenset({identity(2)}))


def test_without_a_window_an_event_counts_for_ever(made: LedgerWorld) -> None:
    ledger = made.ledger()
    ledger.commit(batch(START, at(10), entries=[entry(1)]))
    ledger.commit(batch(at(10), at(2**52)))
    assert ledger.known(0, [identity(1)]) == {identity(1): Known(0, 0, bytes(8))}
    assert {book.window for book in made.accounts().snapshots()} == {None}


def test_a_window_is_the_same_in_all_books_and_may_be_changed(remembering: LedgerWorld) -> None:
    assert {book.window for book in remembering.accounts().snapshots()} == {WINDOW}
    move_to(remembering, 200)
    assert remembering.ledger().known(0, [identity(1)]) == {}
    remembering.registry().state_window(191)
    assert {book.window for book in remembering.accounts().snapshots()} == {191}
    assert len(remembering.ledger().known(0, [identity(1)])) == 1


@pytest.mark.parametrize("offsets", [0, -1])
def test_a_window_holds_an_event(made: LedgerWorld, offsets: int) -> None:
    before = made.dump()
    with pytest.raises(InvalidSettings, match=f"not for {offsets}"):
        made.registry().state_window(offsets)
    assert made.dump() == before


def test_without_a_ledger_there_is_no_window(place: LedgerWorld) -> None:
    with pytest.raises(LedgerMissing, match="gmv ledger init"):
        place.registry().state_window(5)
    assert not place.dump()
