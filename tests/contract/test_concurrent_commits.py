"""Several at once: one winner, and reads of one moment (I6)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from gmv.ledger.port import (
    Answer,
    Committed,
    Fenced,
)
from tests.contract.worlds import LedgerWorld, balances
from tests.ledger.batches import TOPIC, at, batch, entry


def test_of_two_who_race_exactly_one_wins(made: LedgerWorld) -> None:
    rounds = 60
    barrier = Barrier(2)

    def race(name: str) -> list[Answer]:
        ledger = made.ledger()
        answers = []
        for number in range(rounds):
            barrier.wait()
            expected = ledger.positions(TOPIC, [0])[0]
            barrier.wait()
            mine = batch(expected, at(expected.next_offset + 1, f"{name} {number}"), {name: 1, "both": 1})
            answers.append(ledger.commit(mine))
        return answers

    with ThreadPoolExecutor(2) as executor:
        first, second = executor.map(race, ("first", "second"))
    assert [(type(a), type(b)) for a, b in zip(first, second, strict=True)].count((Committed, Committed)) == 0
    wins = {"first": first.count(Committed()), "second": second.count(Committed())}
    assert wins["first"] + wins["second"] == rounds
    assert all(isinstance(answer, Committed | Fenced) for answer in first + second)
    assert balances(made) == {name: won for name, won in wins.items() if won} | {"both": rounds}


def test_a_snapshot_is_of_one_moment_while_others_commit(made: LedgerWorld) -> None:
    barrier = Barrier(2)

    def commit() -> None:
        ledger = made.ledger()
        expected = ledger.positions(TOPIC, [0])[0]
        barrier.wait()
        for number in range(150):
            earned = {f"owner {(number * 7 + place) % 500}": number + place for place in range(50)}
            following = at(expected.next_offset + 1, f"{number}")
            assert ledger.commit(batch(expected, following, earned, [entry(number)])) == Committed()
            expected = following

    def look() -> int:
        accounts = made.accounts()
        barrier.wait()
        offsets: set[int] = set()
        while max(offsets, default=0) < 150:
            for book in accounts.snapshots(balances=True):
                assert book.micros == book.sums.micros == sum(book.balances.values())
                assert book.events == book.sums.credited
                offsets |= {position.next_offset for position in book.positions.values()}
        return len(offsets)

    with ThreadPoolExecutor(2) as executor:
        looking, committing = executor.submit(look), executor.submit(commit)
        committing.result()
        assert looking.result() > 2


def test_a_snapshot_holds_what_its_book_does(made: LedgerWorld, books: int) -> None:
    ledger = made.ledger()
    for partition in range(4):
        ledger.commit(
            batch(credits={"alice": 1, f"of {partition}": 2}, entries=[entry(partition)], partition=partition)
        )
    found = list(made.accounts().snapshots(balances=True))
    assert [book.book for book in found] == list(range(books))
    assert [book.micros for book in found] == ([12] if books == 1 else [6, 3, 3])
    assert [book.owners for book in found] == ([5] if books == 1 else [3, 2, 2])
    assert [book.events for book in found] == ([4] if books == 1 else [2, 1, 1])
    assert [len(book.positions) for book in found] == ([4] if books == 1 else [2, 1, 1])
    whole = {"alice": 4, "of 0": 2, "of 1": 2, "of 2": 2, "of 3": 2}
    parts = [{"alice": 2, "of 0": 2, "of 3": 2}, {"alice": 1, "of 1": 2}, {"alice": 1, "of 2": 2}]
    assert [book.balances for book in found] == ([whole] if books == 1 else parts)
    assert [book.balances for book in made.accounts().snapshots()] == [{}] * books
