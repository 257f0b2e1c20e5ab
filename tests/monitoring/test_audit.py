import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gmv.errors import LedgerMissing, LedgerRefused, LedgerUnavailable, LogRefused, LogUnavailable, Refusal
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Entry, Ledger
from gmv.ledger.position import Position
from gmv.monitoring.audit import Audit
from gmv.monitoring.catalogue import AuditMetrics, LedgerState
from gmv.settings import LedgerSettings
from gmv.stream.records import Bounds, LogDescription
from tests.monitoring.world import NOW_UNIX_SECONDS, Lines

TOPIC, TOPIC_ID = "images", "topic-1"
LOG = LogDescription(TOPIC, TOPIC_ID, {0: Bounds(4, 100), 1: Bounds(0, 7)})


@dataclass
class World:
    """A ledger in a file that stands in a log of two partitions, and an audit of it."""

    settings: LedgerSettings
    log: LogDescription = LOG
    refusal: Refusal | None = None
    """What the ledger answers instead."""
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.audit = Audit(
            self.open_ledger,
            lambda: open_accounts(self.settings),
            self.describe,
            AuditMetrics(self.registry),
            self.lines,
            lambda: NOW_UNIX_SECONDS,
        )

    def open_ledger(self) -> Ledger:
        if self.refusal is not None:
            raise self.refusal
        return open_ledger(self.settings)

    def describe(self) -> LogDescription:
        if isinstance(self.refusal, LogUnavailable | LogRefused):
            raise self.refusal
        return self.log

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def states(self) -> set[str]:
        return {state for state in LedgerState if self.value("gmv_ledger_state", state=state)}

    def positions(self, partition: int) -> tuple[float | None, float | None]:
        labels = {"topic": TOPIC, "partition": str(partition)}
        return self.value("gmv_ledger_lag_records", **labels), self.value("gmv_ledger_headroom_records", **labels)


@pytest.fixture
def world(tmp_path: Path) -> World:
    settings = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    begin(settings)
    return World(settings)


def begin(settings: LedgerSettings) -> None:
    """Register both partitions, and credit two records of the first."""
    registry = open_registry(settings)
    registry.create(books=1)
    registry.register(TOPIC, {0: Position(TOPIC_ID, 10), 1: Position(TOPIC_ID, 7)})
    registry.close()
    ledger: Ledger = open_ledger(settings)
    (expected,) = ledger.positions(TOPIC, [0]).values()
    entries = [Entry(bytes([number] * 16), 10 + number, bytes(8)) for number in range(2)]
    moved = replace(expected, next_offset=13)
    answer = ledger.commit(Batch(TOPIC, 0, expected, moved, {"ada": 1_500_000, "ben": 500_000}, entries, 1))
    assert isinstance(answer, Committed)
    ledger.close()


def test_a_sound_ledger_is_told_with_its_standing_and_its_own_counts(world: World) -> None:
    assert world.audit.examine() is LedgerState.SOUND
    assert world.states() == {"sound"}
    assert world.positions(0) == (87, 9)
    assert world.positions(1) == (0, 7)
    assert world.value("gmv_ledger_credits_micros") == 2_000_000
    counts = {
        each: world.value("gmv_ledger_events", outcome=each) for each in ("credited", "dead_lettered", "duplicate")
    }
    assert counts == {"credited": 2, "dead_lettered": 1, "duplicate": 0}


def test_what_waits_behind_an_open_transaction_is_told(world: World) -> None:
    world.log = replace(LOG, bounds={0: Bounds(4, 13, 200), 1: Bounds(0, 7)})
    assert world.audit.examine() is LedgerState.SOUND
    labels = {"topic": TOPIC, "partition": "0"}
    assert world.value("gmv_ledger_lag_records", **labels) == 0
    assert world.value("gmv_ledger_lag_high_watermark_records", **labels) == 200
    world.refusal = LedgerMissing("gone")
    world.audit.examine()
    assert world.value("gmv_ledger_lag_high_watermark_records", **labels) is None


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (LedgerMissing("gone"), "missing"),
        (LedgerRefused("of another format"), "refused"),
        (LedgerUnavailable("away"), "unreachable"),
        (LogUnavailable("away"), "log_unreachable"),
        (LogRefused("who are you"), "log_unreachable"),
    ],
)
def test_what_keeps_it_from_looking_is_its_state_until_it_is_over(world: World, refusal: Refusal, state: str) -> None:
    world.audit.examine()
    world.refusal = refusal
    world.audit.examine()
    assert world.states() == {state}
    assert world.positions(0) == (None, None)  # rather than a standing of before

    world.refusal = None
    world.audit.examine()
    assert world.states() == {"sound"}
    assert world.positions(0) == (87, 9)


def test_a_state_is_logged_when_it_changes_and_with_its_reason(world: World) -> None:
    world.audit.examine()
    world.audit.examine()
    world.refusal = LedgerMissing("book 0 is gone")
    world.audit.examine()
    assert world.lines.lines == [
        ("info", "ledger_seen", {"state": "sound", "why": ""}),
        ("warning", "ledger_seen", {"state": "missing", "why": "book 0 is gone"}),
    ]


@pytest.mark.parametrize(
    "log",
    [
        replace(LOG, bounds={0: Bounds(14, 100), 1: Bounds(0, 7)}),
        replace(LOG, bounds={0: Bounds(4, 100), 1: Bounds(0, 6)}),
        replace(LOG, topic_id="topic-2"),
    ],
    ids=["retention took uncredited records", "the log was cut", "the topic was made anew"],
)
def test_a_position_at_which_no_worker_could_read_on_is_told(world: World, log: LogDescription) -> None:
    world.audit.examine()
    world.log = log
    assert world.audit.examine() is LedgerState.OUTSIDE_LOG
    assert world.states() == {"outside_log"}


def test_a_partition_without_a_position_is_a_missing_ledger(world: World) -> None:
    """As it is to a worker: it would stop."""
    world.audit.examine()
    world.log = replace(LOG, bounds={**LOG.bounds, 2: Bounds(0, 3)})
    world.audit.examine()
    assert world.audit.examine() is LedgerState.MISSING


def test_a_ledger_that_was_made_anew_is_seen(world: World) -> None:
    path = Path(world.settings.url.removeprefix("sqlite:///"))
    path.unlink()
    assert world.audit.examine() is LedgerState.MISSING
    begin(world.settings)
    assert world.audit.examine() is LedgerState.SOUND


def test_a_check_says_what_does_not_add_up_and_when(world: World) -> None:
    assert world.value("gmv_ledger_checked_timestamp_seconds") == 0
    assert world.audit.check() is True
    assert world.value("gmv_ledger_complaints") == 0
    assert world.value("gmv_ledger_checked_timestamp_seconds") == NOW_UNIX_SECONDS

    take_a_micro_credit(world.settings)
    assert world.audit.check() is False
    assert world.value("gmv_ledger_complaints") == 1
    level, _, fields = world.lines.lines[-1]
    assert level == "warning"
    assert "add up to 1999999 micro-credits, but 2000000 were committed" in fields["complaints"][0]


def take_a_micro_credit(settings: LedgerSettings) -> None:
    with sqlite3.connect(settings.url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE balances SET micros = micros - 1 WHERE owner_id = 'ada'")


def test_a_ledger_that_cannot_be_read_is_not_called_checked(world: World) -> None:
    Path(world.settings.url.removeprefix("sqlite:///")).unlink()
    assert world.audit.check() is False
    assert world.value("gmv_ledger_checked_timestamp_seconds") == 0
    assert world.value("gmv_ledger_complaints") == 0
