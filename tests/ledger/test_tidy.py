"""When a janitor is due, and that a ledger which is used stays as small as its window."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import LedgerUnavailable
from gmv.ledger.administration import Swept
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Answer, Batch, Committed, Fenced
from gmv.ledger.sqlite.file import SqliteFile
from gmv.ledger.sqlite.ledger import SqliteLedger
from gmv.ledger.tidy import FIELDS_PER_EVENT, UNSTATED_FIELDS, Pace, TidyLedger
from gmv.ledger.window import SWEEP_FIELDS
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, at, batch, entry


@given(st.lists(st.integers(0, 3_895)))
def test_four_fields_are_looked_at_for_each_event(commits: list[int]) -> None:
    pace = Pace()
    swept = sum(pace.sweeps_due(events) for events in commits) * SWEEP_FIELDS
    assert 0 <= FIELDS_PER_EVENT * sum(commits) - swept < SWEEP_FIELDS


@given(st.lists(st.integers(0, 3_895)))
def test_after_a_rest_nothing_is_due_for_as_many_events(commits: list[int]) -> None:
    pace = Pace()
    pace.rest()
    swept = sum(pace.sweeps_due(events) for events in commits) * SWEEP_FIELDS
    assert swept == max(0, FIELDS_PER_EVENT * sum(commits) - UNSTATED_FIELDS) // SWEEP_FIELDS * SWEEP_FIELDS


class Answering:
    """As much of a `Ledger` as commits."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def commit(self, _: Batch) -> Answer:
        return self._answer


class Sweeping:
    """A `Janitor` that notes which books it swept."""

    books = 3

    def __init__(self, window: int | None = 10) -> None:
        self.swept: list[int] = []
        self._window = window

    def window(self) -> int | None:
        return self._window

    def sweep(self, book: int) -> Swept:
        self.swept.append(book)
        return Swept(seen=0 if self._window is None else 1, expired=0, is_pass_over=True)


def tidy(answer: Answer, janitor: Sweeping) -> TidyLedger:
    return TidyLedger(Answering(answer), janitor)  # type: ignore[arg-type]


def of(partition: int, events: int) -> Batch:
    return batch(partition=partition, entries=[entry(number) for number in range(events)])


def test_what_is_credited_to_a_book_is_swept_in_it() -> None:
    janitor = Sweeping()
    ledger = tidy(Committed(), janitor)
    for partition, events in [(0, 300), (4, 600), (5, 100), (8, 200), (5, 150)]:
        assert ledger.commit(of(partition, events)) == Committed()
    assert janitor.swept == [0, 1, 1, 2]


def test_a_commit_that_changed_nothing_is_followed_by_nothing() -> None:
    janitor = Sweeping()
    assert tidy(Fenced(at(1)), janitor).commit(of(0, 3_000)) == Fenced(at(1))
    assert janitor.swept == []


def test_a_ledger_without_a_window_is_asked_for_one_now_and_then() -> None:
    janitor = Sweeping(window=None)
    ledger = tidy(Committed(), janitor)
    for _ in range(60):
        ledger.commit(of(0, 1_000))
    assert len(janitor.swept) == 3, "60,000 events, one sweep in 25,000"


def test_a_sweep_that_fails_does_so_after_the_commit(tmp_path: Path) -> None:
    """The worker ends, and finds its batch committed."""

    class Away(Sweeping):
        def sweep(self, _: int) -> Swept:
            raise LedgerUnavailable("away")

    settings = ledger_with(tmp_path, None)
    ledger = TidyLedger(SqliteLedger(SqliteFile(tmp_path / "ledger.db", 1.0)), Away())  # type: ignore[arg-type]
    with pytest.raises(LedgerUnavailable):
        ledger.commit(of(0, 300))
    assert open_ledger(settings).positions(TOPIC, [0]) == {0: at(10)}


@pytest.mark.parametrize("window", [1_000, 3_000])
def test_a_ledger_that_is_used_stays_as_small_as_its_window(tmp_path: Path, window: int) -> None:
    settings = ledger_with(tmp_path, window)
    ledger, accounts = open_ledger(settings), open_accounts(settings)
    expected, kept = START, []
    for run in range(100):
        offsets = range(200 * run, 200 * (run + 1))
        following = at(offsets.stop)
        entries = [entry(offset * 2_654_435_761 % 2**32, offset=offset) for offset in offsets]
        assert ledger.commit(batch(expected, following, entries=entries)) == Committed()
        expected = following
        kept += [book.events for book in accounts.snapshots()]
    assert window <= max(kept) <= 4 / 3 * window + SWEEP_FIELDS
    assert min(kept[50:]) >= window, "what counts is kept"


def ledger_with(folder: Path, window: int | None) -> LedgerSettings:
    settings = LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}")
    registry = open_registry(settings)
    registry.create()
    registry.register(TOPIC, {0: START})
    if window is not None:
        registry.state_window(window)
    registry.close()
    return settings
