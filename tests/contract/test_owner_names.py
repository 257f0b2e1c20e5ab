"""Any owner's totals are theirs and come once."""

import pytest

from gmv.ledger.port import (
    Balance,
    Committed,
    Sums,
)
from tests.contract.worlds import LedgerWorld, balances
from tests.ledger.batches import TOPIC, at, batch, entry

HOSTILE_OWNERS = (
    "",
    " ",
    "#p:generated-images:0",
    "#s:micros",
    "#m:ledger",
    "#e:0000000000000000",
    "o:",
    "o:alice",
    "alice\x00bob",
    "alice\nbob",
    "*",
    "[a]?",
    "%s{}|",
    "'; DROP TABLE balances; --",
    "é",
    "e\u0301",
    "\U0001f600",
    "\ufeff\u202e",
    "x" * 10_000,
)


@pytest.mark.parametrize("owner_id", HOSTILE_OWNERS, ids=lambda owner_id: repr(owner_id)[:30])
def test_any_text_is_an_owner_and_nothing_else(made: LedgerWorld, owner_id: str) -> None:
    ledger = made.ledger()
    assert ledger.commit(batch(credits={owner_id: 3, "alice": 2}, entries=[entry(1)])) == Committed()
    assert ledger.commit(batch(at(10), credits={owner_id: 4})) == Committed()
    assert made.accounts().totals([owner_id]) == {owner_id: 7}
    assert balances(made) == {owner_id: 7, "alice": 2}
    assert made.accounts().sums() == Sums(9, 1, 0, 0)
    assert made.ledger().positions(TOPIC, [0]) == {0: at(20)}


def test_hostile_owners_are_distinct(made: LedgerWorld) -> None:
    earned = {owner_id: number for number, owner_id in enumerate(HOSTILE_OWNERS, 1)}
    made.ledger().commit(batch(credits=earned))
    assert balances(made) == earned


def test_every_owner_comes_once_from_many_pages_and_books(made: LedgerWorld) -> None:
    ledger = made.ledger()
    expected: dict[str, int] = {}
    for partition in range(3):
        owners = range(partition * 700, partition * 700 + 2_500)  # the books share owners
        earned = {f"owner {number}": number + partition for number in owners}
        assert ledger.commit(batch(credits=earned, partition=partition)) == Committed()
        for owner_id, micros in earned.items():
            expected[owner_id] = expected.get(owner_id, 0) + micros
    assert balances(made) == expected


def test_other_questions_may_be_asked_while_owners_are_read(made: LedgerWorld) -> None:
    made.ledger().commit(batch(credits={"alice": 1, "bob": 2}))
    accounts = made.accounts()
    seen = {balance.owner_id: accounts.totals([balance.owner_id])[balance.owner_id] for balance in accounts.balances()}
    assert seen == {"alice": 1, "bob": 2}
    assert Balance("alice", 1) in list(accounts.balances())
