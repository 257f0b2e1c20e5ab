"""What a commit changes, and that it changes all of it."""

from concurrent.futures import ThreadPoolExecutor

from gmv.ledger.port import (
    Committed,
    Known,
    Sums,
)
from tests.contract.worlds import LedgerWorld, balances
from tests.ledger.batches import START, TOPIC, at, batch, entry, identity


def test_all_that_a_batch_changes_is_changed(made: LedgerWorld) -> None:
    first = batch(
        credits={"alice": 700_000, "bob": 1_300_000},
        entries=[entry(1, 0, payload=11), entry(2, 4, payload=12)],
        dead_letters=3,
        duplicates=4,
    )
    ledger, accounts = made.ledger(), made.accounts()
    assert ledger.commit(first) == Committed()
    assert balances(made) == {"alice": 700_000, "bob": 1_300_000}
    assert accounts.totals(["alice"]) == {"alice": 700_000}
    assert accounts.totals(["carol"]) == {}
    assert accounts.sums() == Sums(micros=2_000_000, credited=2, dead_letters=3, duplicates=4)
    assert ledger.positions(TOPIC, [0, 1]) == {0: first.next, 1: START}
    assert accounts.positions()[TOPIC, 0] == first.next
    assert ledger.known(0, [identity(1), identity(2), identity(3)]) == {
        identity(1): Known(0, 0, (11).to_bytes(8, "big")),
        identity(2): Known(0, 4, (12).to_bytes(8, "big")),
    }


def test_totals_add_up_over_batches_and_partitions(made: LedgerWorld) -> None:
    ledger = made.ledger()
    for partition in range(4):
        ledger.commit(batch(credits={"alice": 1, f"of {partition}": 10}, partition=partition, dead_letters=1))
        ledger.commit(batch(at(10), credits={"alice": 100}, partition=partition, duplicates=2))
    assert balances(made) == {"alice": 404, "of 0": 10, "of 1": 10, "of 2": 10, "of 3": 10}
    assert made.accounts().totals(["alice"]) == {"alice": 404}
    assert made.accounts().sums() == Sums(micros=444, credited=0, dead_letters=4, duplicates=8)


def test_a_batch_without_credits_moves_the_position(made: LedgerWorld) -> None:
    assert made.ledger().commit(batch(following=at(1, batch_id=""), dead_letters=1)) == Committed()
    assert made.ledger().positions(TOPIC, [0]) == {0: at(1, batch_id="")}
    assert balances(made) == {}


def test_an_owner_may_be_credited_nothing(made: LedgerWorld) -> None:
    assert made.ledger().commit(batch(credits={"alice": 0})) == Committed()
    assert made.accounts().totals(["alice"]) == {"alice": 0}


def test_all_is_there_after_opening_again(made: LedgerWorld) -> None:
    first = made.ledger()
    first.commit(batch(credits={"alice": 5}))
    first.close()
    assert made.ledger().commit(batch(at(10), credits={"alice": 6})) == Committed()
    assert balances(made) == {"alice": 11}


def test_a_ledger_may_be_opened_in_one_thread_and_used_in_another(made: LedgerWorld) -> None:
    ledger = made.ledger()
    assert ledger.positions(TOPIC, [0]) == {0: START}
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(ledger.commit, batch(credits={"alice": 5})).result() == Committed()
    assert balances(made) == {"alice": 5}
