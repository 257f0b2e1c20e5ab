"""What one worker leaves for the next: a text per partition, which decides no total."""

import pytest

from gmv.errors import LedgerMissing
from gmv.ledger.port import Committed
from gmv.ledger.verify import conservation
from tests.contract.worlds import LedgerWorld, balances
from tests.ledger.batches import TOPIC, batch, entry


def test_a_note_is_kept_until_the_next_and_per_partition(made: LedgerWorld) -> None:
    ledger = made.ledger()
    assert ledger.note(TOPIC, 1) is None
    assert ledger.take_note(TOPIC, 1, None, "first")
    assert ledger.take_note(TOPIC, 1, "first", "second: ü")
    assert ledger.take_note(TOPIC, 2, None, "another's")
    ledger.close()
    again = made.ledger()
    assert [again.note(TOPIC, number) for number in range(4)] == [None, "second: ü", "another's", None]
    assert again.note("other topic", 1) is None


def test_who_did_not_see_the_last_note_takes_none(made: LedgerWorld) -> None:
    ledger, other = made.ledger(), made.ledger()
    ledger.take_note(TOPIC, 0, None, "mine")
    for expected in (None, "older"):
        assert not other.take_note(TOPIC, 0, expected, "the other's")
    assert ledger.note(TOPIC, 0) == "mine"


def test_notes_are_no_part_of_the_books(made: LedgerWorld) -> None:
    ledger = made.ledger()
    ledger.take_note(TOPIC, 0, None, "a note")
    assert ledger.commit(batch(credits={"alice": 5}, entries=[entry(1)])) == Committed()
    assert ledger.note(TOPIC, 0) == "a note"
    assert balances(made) == {"alice": 5}
    assert conservation(made.accounts()).complaints == ()
    assert set(made.accounts().positions()) == {(TOPIC, number) for number in range(4)}


def test_without_a_ledger_there_is_no_note(place: LedgerWorld) -> None:
    for question in (
        lambda: place.ledger().note(TOPIC, 0),
        lambda: place.ledger().take_note(TOPIC, 0, None, "a note"),
    ):
        with pytest.raises(LedgerMissing):
            question()
    assert not place.dump()
