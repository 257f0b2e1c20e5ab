"""What a ledger's books have to agree on, over books made up."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.port import Accounts, Snapshot, Sums
from gmv.ledger.position import Position
from gmv.ledger.verify import conservation

POSITIONS = {("t", 0): Position("id", 10), ("t", 1): Position("id", 5), ("corrections/c", 0): Position("c", 1)}
RIGHT = Snapshot(book=0, owners=2, micros=1_500_000, events=3, sums=Sums(1_500_000, 2, 5, 6, 1), positions=POSITIONS)


class Books:
    def __init__(self, *books: Snapshot) -> None:
        self._books = books

    def snapshots(self) -> Iterator[Snapshot]:
        yield from self._books


def complaints(*books: Snapshot) -> str:
    return "; ".join(conservation(cast(Accounts, Books(*books))).complaints)


def test_books_that_agree_are_summed() -> None:
    found = conservation(cast(Accounts, Books(RIGHT, replace(RIGHT, book=1))))
    assert (found.micros, found.sums, found.complaints) == (3_000_000, Sums(3_000_000, 4, 10, 12, 2), ())
    assert found.conserved


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        pytest.param({"micros": 1_500_001}, "book 0: the totals of 2 owners add up to 1500001", id="an owner has more"),
        pytest.param({"events": 2}, "it keeps 2 events and corrections, and counted 3", id="an event is gone"),
        pytest.param({"events": 4}, "it keeps 4 events and corrections, and counted 3", id="an event too many"),
        pytest.param({"events": 4, "window": 9}, "it keeps 4 events", id="an event too many, with any window"),
        pytest.param({"micros": 2_000_001, "sums": Sums(2_000_001, 2, 0, 0, 1)}, "more than 2 events", id="too much"),
    ],
)
def test_what_does_not_fit_is_named(wrong: dict[str, object], complaint: str) -> None:
    assert complaint in complaints(RIGHT, replace(RIGHT, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("events", [0, 2, 3])
def test_a_window_may_have_let_any_event_go(events: int) -> None:
    assert complaints(replace(RIGHT, events=events, window=9)) == ""


def test_records_are_counted_once_each_from_where_crediting_began() -> None:
    """13 records were counted, of 15 offsets that were passed; from offset 4 on there are 11."""
    found = conservation(cast(Accounts, Books(RIGHT)))
    assert (found.offsets_uncounted, found.begins_unrecorded) == (2, ("t[0]", "t[1]"))
    later = replace(RIGHT, begins={("t", 0): Begin(2, 0), ("t", 1): Begin(0, 0)})
    found = conservation(cast(Accounts, Books(later)))
    assert (found.offsets_uncounted, found.begins_unrecorded, found.complaints) == (0, (), ())
    said = complaints(replace(RIGHT, begins={("t", 0): Begin(4, 0)}))
    assert said == "book 0: it counted 13 records, and its positions have passed 11 offsets"


def test_a_partition_that_was_added_and_began_late_is_named() -> None:
    first = {"t": FirstPartitions("id", {0: Begin(2, 0)})}
    right = replace(RIGHT, sums=Sums(1_500_000, 2, 0, 0, 1), begins={("t", 0): Begin(2, 0), ("t", 1): Begin(3, 0)})
    assert "t[1] was added to its topic and began at 3, not at 0" in complaints(replace(right, first=first))
    other_book = replace(RIGHT, book=1, first=first)
    assert "t[1] was added" in complaints(replace(right, positions={("t", 1): Position("id", 5)}), other_book)
    listed = {"t": FirstPartitions("id", {0: Begin(2, 0), 1: Begin(3, 0)})}
    assert complaints(replace(right, first=listed)) == ""
