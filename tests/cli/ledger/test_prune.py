import os
import random
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest

from gmv.ledger.open import open_accounts, open_janitor, open_ledger, open_registry
from gmv.ledger.port import Committed, Duplicate
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from tests.cli.command import command, environment, gmv, gmv_json, refused
from tests.ledger.batches import START, TOPIC, at, batch, entry, identity

RUNS = 20
EVENTS_PER_RUN = 500
EVENTS = RUNS * EVENTS_PER_RUN


@pytest.fixture
def full(ledger: LedgerSettings) -> LedgerSettings:
    """Event n was credited at offset n, one micro-credit each, without a window."""
    with closing(open_registry(ledger)) as registry:
        registry.create(1)
        registry.register(TOPIC, {0: START})
    with closing(open_ledger(ledger)) as opened:
        for run in range(RUNS):
            offsets = range(run * EVENTS_PER_RUN, (run + 1) * EVENTS_PER_RUN)
            expected = at(offsets.start) if run else START
            entries = [entry(offset, offset=offset) for offset in offsets]
            credited = batch(expected, at(offsets.stop), {"alice": len(entries)}, entries)
            assert opened.commit(credited) == Committed()
    return ledger


def kept(ledger: LedgerSettings) -> int:
    with closing(open_accounts(ledger)) as accounts:
        (book,) = accounts.snapshots()
    return book.events


def test_a_first_window_is_stated_and_what_it_lets_go_is_removed(full: LedgerSettings) -> None:
    assert gmv_json(full, "ledger", "prune", "--identity-window", "3000") == {
        "ledger_url": full.url,
        "dry_run": False,
        "identity_window": 3_000,
        "seen": EVENTS,
        "lapsed": EVENTS - 3_000,
        "removed": EVENTS - 3_000,
    }
    assert kept(full) == 3_000
    again = gmv_json(full, "ledger", "prune")
    assert (again["identity_window"], again["seen"], again["lapsed"]) == (3_000, 3_000, 0)
    assert gmv_json(full, "ledger", "verify")["conserved"]


def test_a_dry_run_tells_and_changes_nothing(full: LedgerSettings) -> None:
    dry = gmv_json(full, "ledger", "prune", "--identity-window", "3000", "--dry-run")
    assert (dry["lapsed"], dry["removed"], dry["dry_run"]) == (EVENTS - 3_000, 0, True)
    assert kept(full) == EVENTS
    assert "states no window" in refused(full, 2, "ledger", "prune", "--dry-run")
    said = gmv(full, "ledger", "prune", "--identity-window", "9999", "--dry-run").stdout
    assert said == f"{full.url}: 1 of 10,000 events count no more, with a window of 9,999 offsets\n"


def test_without_a_window_it_says_how_one_is_stated(full: LedgerSettings) -> None:
    assert "--identity-window OFFSETS" in refused(full, 2, "ledger", "prune")
    assert kept(full) == EVENTS


def test_without_a_ledger_it_says_how_one_is_made(ledger: LedgerSettings) -> None:
    assert "gmv ledger init" in refused(ledger, 21, "ledger", "prune", "--identity-window", "5")


@pytest.mark.parametrize("offsets", ["0", "-5", "many"])
def test_a_window_is_a_number_of_offsets(full: LedgerSettings, offsets: str) -> None:
    assert gmv(full, "ledger", "prune", "--identity-window", offsets).returncode == 2
    assert kept(full) == EVENTS


def test_init_states_a_window_for_all_books(ledger: LedgerSettings, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text("{}\n")
    made = ("ledger", "init", "--log", events)
    gmv_json(ledger, *made, "--books", "3", "--identity-window", "70000")
    gmv_json(ledger, *made)
    with closing(open_accounts(ledger)) as accounts:
        assert [book.window for book in accounts.snapshots()] == [70_000] * 3


@pytest.mark.slow
def test_killed_anywhere_while_a_worker_commits_no_answer_changes(full: LedgerSettings, seed: int) -> None:
    """Whatever is repeated within the window is refused, whatever is repeated after it is credited."""
    chance = random.Random(seed)
    with closing(open_registry(full)) as registry:
        registry.state_window(3_000)
    credited = EVENTS
    with repeating(full) as repeated:
        for _ in range(6):
            pruning = subprocess.Popen(
                command("ledger", "prune"), env=environment(full), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            try:
                pruning.wait(chance.uniform(0.3, 0.7))
            except subprocess.TimeoutExpired:
                os.kill(pruning.pid, signal.SIGKILL)
            out, _ = pruning.communicate()
            assert pruning.returncode in (0, -signal.SIGKILL), out
    credited += len(repeated)
    gmv_json(full, "ledger", "prune")
    assert kept(full) == 3_000
    with closing(open_accounts(full)) as accounts:
        assert accounts.totals(["alice", "bob"]) == {"alice": EVENTS, "bob": len(repeated)}
        assert accounts.sums().credited == credited
        assert conservation(accounts).complaints == ()
    with closing(open_janitor(full)) as janitor:
        assert janitor.sweep(0).expired == 0


@contextmanager
def repeating(ledger: LedgerSettings) -> Iterator[list[int]]:
    """Meanwhile commit, again and again, the event that lapsed with the last commit; yield where that was credited."""
    done = Event()
    repeated: list[int] = []

    def repeat() -> None:
        with closing(open_ledger(ledger)) as opened:
            while not done.is_set():
                position = opened.positions(TOPIC, [0])[0]
                offset = position.next_offset
                following, known = at(offset + 1), credited_at(offset - 3_000)
                refused = batch(position, following, {"bob": 1}, [entry(known, offset=offset)])
                assert opened.commit(refused) == Duplicate(frozenset({identity(known)}))
                lapsed = batch(position, following, {"bob": 1}, [entry(credited_at(offset - 3_001), offset=offset)])
                assert opened.commit(lapsed) == Committed()
                repeated.append(offset)

    with ThreadPoolExecutor(1) as executor:
        worker = executor.submit(repeat)
        try:
            yield repeated
        finally:
            done.set()
        worker.result()
    assert repeated


def credited_at(offset: int) -> int:
    """Return the number of the event that was credited there: its own, or once more that of 3,001 offsets before."""
    while offset >= EVENTS:
        offset -= 3_001
    return offset
