"""A watched worker in memory, and an hour of its life that touches every metric."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry

from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.health import Health
from gmv.monitoring.reachability import Reachability
from gmv.monitoring.telemetry import MeasuredDecoder, MeasuredLedger, MeasuredOutbox
from gmv.monitoring.watched_servers import WatchedLedger
from gmv.monitoring.watcher import Watcher
from gmv.stream.core import Core
from gmv.stream.records import Record, Run
from tests.stream.world import (
    PARTITION,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
    poison_record,
)

NOW_UNIX_SECONDS = 1_800_000_000.0
OWNERS = ("owner-ada", "owner-ben", "owner-cy", "owner-dee")


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Lines:
    """A logger that keeps its lines."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def debug(self, event: str, **fields: Any) -> None:
        self.lines.append(("debug", event, fields))

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append(("warning", event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for _, name, fields in self.lines if name == event]


class WatchedWorker:
    """A core whose observer is a `Watcher`; everything around it is in memory."""

    def __init__(self, executor: ThreadPoolExecutor, ledger: MemoryLedger | None = None) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.monotonic = Clock()
        self.log = Lines()
        self.server = Reachability("the ledger", "redis://r:6379", self.log, self.monotonic, lambda: NOW_UNIX_SECONDS)
        self.health = Health(300.0, (self.server,), self.monotonic)
        self.health.index_loaded()
        self.watcher = Watcher(self.metrics, self.health, self.log, lambda: NOW_UNIX_SECONDS, self.monotonic)
        self.ledger = ledger or MemoryLedger()
        made_of = parts(self.ledger, MeasuredOutbox(MemoryOutbox(), self.watcher.clock), Notes())
        made_of = replace(
            made_of,
            decoder=MeasuredDecoder(made_of.decoder, self.watcher.clock),
            ledger=MeasuredLedger(WatchedLedger(self.ledger, self.server), self.watcher.clock, self.metrics),
            observer=self.watcher,
        )
        self.core = Core(made_of, executor)

    async def assign(self, *, start: int = 0, end: int = 0) -> None:
        await self.core.assign([PARTITION], MemoryLog([event_record(end - 1, "last")] if end else [], start))

    async def credit(self, *records: Record) -> object:
        return await self.core.credit(Run(PARTITION, records))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def seconds_ago(record: Record, seconds: float) -> Record:
    return replace(record, timestamp_ms=round((NOW_UNIX_SECONDS - seconds) * 1000))


RUN = (
    seconds_ago(event_record(0, "event-one", OWNERS[:2]), 0.2),
    seconds_ago(event_record(1, "event-two", OWNERS), 20.0),
    poison_record(2),
    seconds_ago(event_record(3, "event-one", OWNERS[:2]), -5.0),  # re-sent, by a producer whose clock is fast
)
"""Two events credited, one record dead-lettered, one duplicate."""


async def watched_hour(executor: ThreadPoolExecutor) -> WatchedWorker:
    worker = WatchedWorker(executor)
    worker.metrics.index.info({"index_id": "0123456789abcdef", "encoder_id": "fitted:1"})
    worker.metrics.settings.info({"digest": "fedcba9876543210"})
    await worker.assign(end=10)
    await worker.credit(*RUN)
    return worker
