"""Ledgers are made, and partitions given positions, once."""

import pytest

from gmv.errors import InvalidSettings, LedgerMissing, LedgerRefused
from gmv.ledger.port import (
    Missing,
)
from tests.contract.worlds import LedgerWorld, refuse
from tests.ledger.batches import START, TOPIC, at, batch, identity


def test_creating_twice_is_creating_once(made: LedgerWorld, books: int) -> None:
    before = made.dump()
    made.registry().create(books)
    assert made.dump() == before


def test_the_number_of_books_is_fixed(made: LedgerWorld, books: int) -> None:
    before = made.dump()
    with pytest.raises(InvalidSettings, match=rf"of {books} books already, not {books + 1}"):
        made.registry().create(books + 1)
    assert made.dump() == before


def test_any_number_of_books_is_content_with_those_there_are(made: LedgerWorld) -> None:
    before = made.dump()
    made.registry().create()
    assert made.dump() == before


def test_a_ledger_has_one_book_unless_stated_otherwise(place: LedgerWorld) -> None:
    place.registry().create()
    assert len(list(place.accounts().snapshots())) == 1


def test_a_ledger_has_a_book(place: LedgerWorld) -> None:
    with pytest.raises(InvalidSettings, match="one book or more, not 0"):
        place.registry().create(0)


def test_a_position_is_given_and_never_moved(made: LedgerWorld) -> None:
    assert made.registry().register(TOPIC, {3: at(50), 4: at(7), 9: at(8)}) == (4, 9)
    assert made.ledger().positions(TOPIC, [3, 4, 9]) == {3: START, 4: at(7), 9: at(8)}


@pytest.mark.parametrize("topic", ["a:b", "0", ":", "generated-images.v2", "фото"])
def test_topics_are_distinct(made: LedgerWorld, topic: str) -> None:
    made.registry().register(topic, {0: at(5), 1: at(6)})
    assert made.accounts().positions() == {(TOPIC, partition): START for partition in range(4)} | {
        (topic, 0): at(5),
        (topic, 1): at(6),
    }


def test_there_is_nothing_to_register_in_before_it_is_created(place: LedgerWorld) -> None:
    with pytest.raises(LedgerMissing, match="gmv ledger init"):
        place.registry().register(TOPIC, {0: START})


def test_nothing_can_be_asked_before_there_is_a_ledger(place: LedgerWorld) -> None:
    ledger, accounts = place.ledger(), place.accounts()
    questions = [
        lambda: ledger.positions(TOPIC, [0]),
        lambda: ledger.known(0, [identity(1)]),
        lambda: ledger.commit(batch()),
        lambda: accounts.totals(["alice"]),
        lambda: list(accounts.balances()),
        accounts.sums,
        accounts.positions,
        lambda: list(accounts.snapshots()),
    ]
    for question in questions:
        with pytest.raises(LedgerMissing, match="gmv ledger init"):
            question()
    assert not place.dump()


def test_a_partition_without_position_is_named(made: LedgerWorld) -> None:
    with pytest.raises(LedgerMissing, match=rf"{TOPIC}\[7\].*gmv ledger init"):
        made.ledger().positions(TOPIC, [0, 7])


def test_a_batch_for_a_partition_without_position(made: LedgerWorld) -> None:
    assert refuse(made, batch(partition=7, credits={"alice": 1})) == Missing()


def test_a_batch_for_another_topic(made: LedgerWorld) -> None:
    assert refuse(made, batch(topic="other", credits={"alice": 1})) == Missing()


def test_no_partitions_have_no_positions(made: LedgerWorld) -> None:
    assert made.ledger().positions(TOPIC, []) == {}


@pytest.mark.parametrize("text", ["", "12", "|0|-1|", "log|01|-1|"])
def test_a_damaged_position_is_never_guessed(of_one_book: LedgerWorld, text: str) -> None:
    of_one_book.overwrite_position(TOPIC, 0, text)
    with pytest.raises(LedgerRefused, match="no position"):
        of_one_book.ledger().positions(TOPIC, [0])
    with pytest.raises(LedgerRefused, match="no position"):
        of_one_book.accounts().positions()
    assert refuse(of_one_book, batch(credits={"alice": 1})) == Missing()
