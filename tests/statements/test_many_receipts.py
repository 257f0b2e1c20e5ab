"""A statement over a million receipts: in constant memory, and what another pass over them comes to."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gmv.ledger.open import open_ledger, open_registry
from gmv.ledger.port import Batch, Committed
from gmv.ledger.position import Position
from gmv.settings import LedgerSettings
from gmv.valuation.receipt import seal
from tests.cli.command import environment
from tests.statements.world import EVENTS, Event, receipt_of

MANY, FEW = 1_000_000, 100_000
BATCH = 5  # small, so that there are many batches: what a topic with little traffic has
FIRST_SECOND = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
GROWTH_MIB_MAX = 32
"""16 MiB are the cache of the file in which 200,000 batches are kept; what is read is 600 MB."""


def event_of(offset: int, receipts: int) -> Event:
    """Three months, evenly; ada is paid by one in two, and nothing is told of the time of one in a thousand."""
    moment = datetime.fromtimestamp(FIRST_SECOND + offset * 91 * 86_400 // receipts, UTC)
    keys: dict[str, Any] = {} if offset % 1_000 == 999 else {"time": moment.isoformat()}
    paid = {"ada": 300_000 + offset % 7, "ben": 700_000 - offset % 7} if offset % 2 else {"ben": 1_000_000}
    return Event(paid, keys)


def lines_of(receipts: int) -> Iterator[tuple[str, list[bytes]]]:
    """Batches as they are published, with one in fifty before it that was never committed, and one in fifty twice."""
    previous = ""
    for number, start in enumerate(range(0, receipts, BATCH)):
        made = [receipt_of(offset, event_of(offset, receipts), previous) for offset in range(start, start + BATCH)]
        previous, lines = seal(made)
        orphans = seal([{**each, "settings": "never"} for each in made])[1] if number % 50 == 7 else []
        yield previous, orphans + lines + (lines if number % 50 == 9 else [])


def world_of(folder: Path, receipts: int) -> tuple[LedgerSettings, Path]:
    """Write the file, and a ledger that has committed it."""
    path, newest = folder / "events.receipts.jsonl", ""
    with path.open("wb") as file:
        for batch_id, lines in lines_of(receipts):
            file.write(b"\n".join(lines) + b"\n")
            newest = batch_id
    totals: Counter[str] = Counter()
    for offset in range(receipts):
        totals.update(event_of(offset, receipts).paid)
    settings = LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}")
    start = Position("first-record:1", 0)
    with closing(open_registry(settings)) as registry:
        registry.create(1)
        registry.register(EVENTS, {0: start})
    with closing(open_ledger(settings)) as ledger:
        batch = Batch(EVENTS, 0, start, Position("first-record:1", receipts, -1, newest), dict(totals), [])
        assert ledger.commit(batch) == Committed()
    return settings, path


class Ran(NamedTuple):
    """What a command printed, and the most memory that its process had since it was one of its own."""

    found: Any
    peak_mib: float


_WITH_PEAK = """
from gmv.cli import main
try:
    main()
finally:
    (peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    print(peak, file=__import__("sys").stderr)
"""


def ran(settings: LedgerSettings, *arguments: object) -> Ran:
    """Not by `ru_maxrss`, in which the memory of the process that starts another counts as well."""
    command = [sys.executable, "-c", _WITH_PEAK, *map(str, arguments), "--json"]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=True)
    return Ran(json.loads(done.stdout), int(done.stderr.split()[1]) / 1024)


def other_pass(path: Path) -> dict[str, int]:
    """Ada's micro-credits by month, by nothing of gmv's: what says "never" is not counted, and each offset once."""
    by_month: Counter[str] = Counter()
    counted = -1
    with path.open() as lines:
        for line in lines:
            receipt = json.loads(line)
            if receipt["settings"] == "never" or receipt["position"]["offset"] <= counted:
                continue
            counted = receipt["position"]["offset"]
            paid = sum(each["micros"] for each in receipt["contributors"] if each["owner_id"] == "ada")
            by_month[receipt.get("time", "none")[:7]] += paid
    return dict(by_month)


@pytest.mark.exhaustive  # five minutes; in short: statements over any partition of time add up to the whole
def test_a_month_over_a_million_receipts_in_constant_memory(tmp_path: Path) -> None:
    month = ("--from", "2026-10-01", "--to", "2026-11-01", "--by", "month")
    peaks = {}
    for receipts in (FEW, MANY):
        folder = tmp_path / str(receipts)
        folder.mkdir()
        settings, path = world_of(folder, receipts)
        found, peaks[receipts] = ran(settings, "credits", "statement", "--owner", "ada", *month)
        expected = other_pass(path)
        path.unlink()
        assert [(line["label"], line["credit_micros"]) for line in found["lines"]] == [("2026-10", expected["2026-10"])]
        assert found["opening_micros"] == expected["2026-09"]
        assert found["later_micros"] == expected["2026-11"]
        assert found["without_time"]["credit_micros"] == expected["none"]
        assert found["ledger_micros"] == sum(expected.values())
        assert found["total"]["events"] == pytest.approx(receipts / 2 * 31 / 91, rel=0.01)
    assert peaks[MANY] - peaks[FEW] < GROWTH_MIB_MAX, peaks
