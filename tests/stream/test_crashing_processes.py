"""Real processes that end while they attribute one record, over real ledgers, until somebody gets past it."""

import signal
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from gmv.errors import Reason
from gmv.files.dead_letters import dead_letters_in_file
from gmv.files.log import describe_file
from gmv.ledger.open import open_accounts, open_registry
from gmv.settings import LedgerSettings
from tests.services.patience import patience
from tests.services.server import mortal
from tests.stream.dying_replay import RUN_RECORDS
from tests.stream.world import CRASHES_PER_RECORD_MAX, event_record

EVENTS = 30
KILLER = RUN_RECORDS + 3
ENDS = {"kill": -signal.SIGKILL, "segfault": -signal.SIGSEGV, "memory": 1}
UNAWARES = 2  # one in the middle of the log, one in the first run of the next


@pytest.fixture
def sqlite(tmp_path: Path) -> LedgerSettings:
    return LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def redis(redis_url: str) -> LedgerSettings:
    return LedgerSettings(url=redis_url, namespace=f"t{uuid.uuid4().hex}")


def replay(path: Path, ledger: LedgerSettings) -> list[int]:
    """Return how each process ended."""
    module = [sys.executable, "-m", "tests.stream.dying_replay", str(path), ledger.url, ledger.namespace]
    done = subprocess.run(mortal(module), capture_output=True, text=True, timeout=patience(60))
    return [int(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("kind", "way"),
    [("sqlite", "segfault"), ("sqlite", "memory"), pytest.param("redis", "kill", marks=pytest.mark.servers)],
)
def test_one_record_is_dead_lettered_and_the_others_are_credited(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, way: str
) -> None:
    ledger: LedgerSettings = request.getfixturevalue(kind)
    path = tmp_path / "events.jsonl"
    owners = {KILLER: [way]}
    records = [event_record(number, f"event-{number}", owners.get(number, ["ada"])) for number in range(EVENTS)]
    path.write_bytes(b"".join((record.value or b"") + b"\n" for record in records))
    described = describe_file(path)
    with closing(open_registry(ledger)) as registry:
        registry.create(1)
        registry.register(described.topic, described.starts())

    assert replay(path, ledger) == [ENDS[way]] * (UNAWARES + CRASHES_PER_RECORD_MAX) + [0]
    (dead_letter,) = dead_letters_in_file(path.with_suffix(".dlq"))
    assert (dead_letter.record.offset, dead_letter.record.value) == (KILLER, records[KILLER].value)
    assert dead_letter.reason == Reason.KILLED_WORKER
    with closing(open_accounts(ledger)) as accounts:
        assert accounts.totals(["ada", way]) == {"ada": (EVENTS - 1) * 1_000_000}
        assert (accounts.sums().credited, accounts.sums().dead_letters) == (EVENTS - 1, 1)
