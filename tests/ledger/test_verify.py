"""What a ledger's books have to agree on, over books made up."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from gmv.ledger.port import Accounts, Snapshot, Sums
from gmv.ledger.verify import conservation

RIGHT = Snapshot(book=0, owners=2, micros=1_500_000, events=3, sums=Sums(1_500_000, 2, 5, 6, 1), positions={})


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
        pytest.param({"events": 4, "window": 9}, "it keeps 4 events", id="an event too many, whatever the window"),
        pytest.param({"micros": 2_000_001, "sums": Sums(2_000_001, 2, 0, 0, 1)}, "more than 2 events", id="too much"),
    ],
)
def test_what_does_not_fit_is_named(wrong: dict[str, object], complaint: str) -> None:
    assert complaint in complaints(RIGHT, replace(RIGHT, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("events", [0, 2, 3])
def test_a_window_may_have_let_any_event_go(events: int) -> None:
    assert complaints(replace(RIGHT, events=events, window=9)) == ""
