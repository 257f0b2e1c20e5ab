"""A janitor removes what counts no more, and no answer depends on it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from gmv.errors import LedgerMissing
from gmv.ledger.administration import Swept
from gmv.ledger.port import Committed
from gmv.ledger.tidy import one_pass
from gmv.ledger.verify import conservation
from gmv.ledger.window import SWEEP_FIELDS
from tests.contract.worlds import WITH_JANITOR, LedgerWorld, pass_over, world_of
from tests.ledger.batches import START, TOPIC, at, batch, entry, identity

EVENTS = 2 * SWEEP_FIELDS + 500
WINDOW = 400
REPEATS = 40


@pytest.fixture(params=WITH_JANITOR)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerWorld]:
    made = world_of(request.param, request, tmp_path / "ledger.db")
    yield made
    made.close()


@pytest.fixture
def full(made: LedgerWorld) -> LedgerWorld:
    """Event n was credited at offset n of partition 0, and the same many in the next partition of the book."""
    credit(made, 0, range(EVENTS))
    return made


def credit(place: LedgerWorld, partition: int, numbers: range) -> None:
    expected = place.ledger().positions(TOPIC, [partition])[partition]
    entries = [entry(number, offset=expected.next_offset + place_) for place_, number in enumerate(numbers)]
    following = at(expected.next_offset + len(numbers))
    assert place.ledger().commit(batch(expected, following, entries=entries, partition=partition)) == Committed()


def test_a_pass_removes_what_counts_no_more_and_nothing_else(full: LedgerWorld) -> None:
    full.registry().state_window(WINDOW)
    numbers = [identity(number) for number in range(EVENTS)]
    known = full.ledger().known(0, numbers)
    assert known.keys() == {identity(number) for number in range(EVENTS - WINDOW, EVENTS)}
    assert pass_over(full.janitor(), 0) == EVENTS - WINDOW
    assert full.ledger().known(0, numbers) == known
    assert next(iter(full.accounts().snapshots())).events == WINDOW
    assert conservation(full.accounts()).complaints == ()
    assert pass_over(full.janitor(), 0) == 0


def test_sweeps_are_short_and_begin_anew_after_a_pass(full: LedgerWorld) -> None:
    full.registry().state_window(WINDOW)
    janitor = full.janitor()
    for removed in (EVENTS - WINDOW, 0):
        sweeps = list(one_pass(janitor, 0))
        assert sum(swept.expired for swept in sweeps) == removed
        assert all(swept.seen <= 1.1 * SWEEP_FIELDS for swept in sweeps)
    assert len(sweeps) == 1


def test_a_survey_tells_what_a_sweep_would_do_and_does_nothing(full: LedgerWorld, books: int) -> None:
    before = full.dump()
    surveyor = full.janitor()
    surveyed = list(one_pass(surveyor, 0, WINDOW))
    assert sum(swept.seen for swept in surveyed) == EVENTS
    assert sum(swept.expired for swept in surveyed) == EVENTS - WINDOW
    assert full.dump() == before
    assert surveyor.identities(0) >= EVENTS
    assert (surveyor.books, surveyor.window()) == (books, None)


def test_without_a_window_nothing_is_removed(full: LedgerWorld) -> None:
    before = full.dump()
    assert full.janitor().sweep(0) == Swept(0, 0, is_pass_over=True)
    assert full.dump() == before


def test_each_identity_goes_by_the_partition_it_was_credited_in(full: LedgerWorld) -> None:
    """Partition 3 shares the book, and lags: its events are young, wherever partition 0 is."""
    credit(full, 3, range(EVENTS, EVENTS + 50))
    full.registry().register("another", {0: START})
    other = batch(START, at(10), entries=[entry(9_999, offset=1)], topic="another")
    assert full.ledger().commit(other) == Committed()
    full.registry().state_window(WINDOW)
    pass_over(full.janitor(), 0)
    lagging = [identity(number) for number in [*range(EVENTS, EVENTS + 50), 9_999]]
    assert full.ledger().known(0, lagging).keys() == set(lagging)


def test_books_are_swept_one_by_one(made: LedgerWorld, books: int) -> None:
    for partition in range(3):
        credit(made, partition, range(1_000 * partition, 1_000 * partition + 20))
    made.registry().state_window(5)
    janitor = made.janitor()
    removed = [pass_over(janitor, book) for book in range(janitor.books)]
    assert removed == ([45] if books == 1 else [15, 15, 15])


def test_it_works_beside_commits(full: LedgerWorld) -> None:
    """Commits that repeat what expires at that moment are credited or refused by the rule, never by the janitor."""
    full.registry().state_window(WINDOW)
    done = Event()

    def sweep() -> int:
        janitor, expired = full.janitor(), 0
        while not done.is_set():
            expired += janitor.sweep(0).expired
        return expired + pass_over(janitor, 0) + pass_over(janitor, 0)

    with ThreadPoolExecutor(1) as executor:
        sweeping = executor.submit(sweep)
        try:
            ledger = full.ledger()
            for offset in range(EVENTS, EVENTS + REPEATS):  # each repeats the one that has just expired
                repeated = offset - WINDOW - 1
                assert ledger.known(0, [identity(repeated)]) == {}
                again = batch(at(offset), at(offset + 1), {"alice": 1}, [entry(repeated, offset=offset)])
                assert ledger.commit(again) == Committed()
        finally:
            done.set()
        assert sweeping.result() >= EVENTS - WINDOW - REPEATS
    assert next(iter(full.accounts().snapshots())).events == WINDOW
    assert full.accounts().totals(["alice"]) == {"alice": REPEATS}


def test_without_a_ledger_there_is_nothing_to_sweep(place: LedgerWorld) -> None:
    janitor = place.janitor()
    for question in (lambda: janitor.books, janitor.window, lambda: janitor.identities(0), lambda: janitor.sweep(0)):
        with pytest.raises(LedgerMissing, match="gmv ledger init"):
            question()
    assert not place.dump()
