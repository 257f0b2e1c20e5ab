"""Where a fault is played: a site of servers for all of them, and for each run a topic and a ledger of its own."""

import contextlib
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from gmv.errors import ConservationBroken, Refusal
from gmv.kafka.admin import describe_topic
from gmv.kafka.receipts import receipts_in_topic
from gmv.kafka.topics import planned
from gmv.ledger.open import open_accounts, open_registry
from gmv.ledger.port import Snapshot
from gmv.operations.registering import Edge, register_log
from gmv.operations.verifying import verify_receipts
from gmv.settings import KafkaSettings, LedgerSettings, load
from gmv.temporary import TemporaryFolder
from tests.end_to_end.command import command
from tests.faults.corpus import CONTRIBUTORS, IMAGES, build
from tests.faults.forked_workers import Forked, ForkedWorkers
from tests.faults.judge import judge
from tests.faults.producing import Load
from tests.faults.reader import Watcher
from tests.faults.reading import last_offsets, read_topic
from tests.kafka.world import Worker
from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tests.services.server import ServerError, free_port, wait_for

PARTITIONS = 4
SESSION_SECONDS = 6.0
RETENTION_DAYS = 7.0
LOG_TAIL_CHARACTERS = 2_000
END_SECONDS_MAX = 12.0
"""I7: the log's end is reached within so many seconds of the last fault, `patience` included within two minutes."""


class Servers:
    """A broker, a Redis that keeps what it acknowledged, an index and forked workers; and worlds over them."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        self.folder = enter(TemporaryFolder("faults"))
        self.forked_workers = enter(ForkedWorkers())
        self.kafka = enter(KafkaBroker())
        self.redis = enter(RedisServer())
        self.index = build(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def world(self, chance: random.Random, redis: RedisServer | None = None) -> Iterator["World"]:
        """A topic and a ledger of its own, in the site's Redis or another."""
        with World(self, redis or self.redis, chance) as world:
            yield world


class World:
    """Workers over one topic and one ledger; closing it ends them.

    Attributes:
        violations: found so far; those that play a fault add to them.
        may_go_back: whether the server's history changes here, so that positions may.
        starts: how often a worker took partitions up, at least.
        index: path that workers are given.
        oracles_name: what the oracle calls an owner, where owners have other names by another index.
    """

    def __init__(self, site: Servers, redis: RedisServer, chance: random.Random) -> None:
        self.site, self.redis, self.chance = site, redis, chance
        self.topic = f"faults-{uuid.uuid4().hex[:8]}"
        self.ledger_url = redis.url
        self.violations: list[str] = []
        self.may_go_back = False
        self.starts = 0
        self.partitions = PARTITIONS
        self.index = site.index
        self.oracles_name: Callable[[str], str] = str
        self._workers: list[Forked | Worker] = []
        self._events = 0
        self._stack = ExitStack()

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(brokers=self.site.kafka.address, topic=self.topic, group=self.topic)

    @property
    def ledger(self) -> LedgerSettings:
        """As readers reach it."""
        return LedgerSettings(url=self.redis.url, namespace=self.topic, retry_seconds=1)

    @property
    def log(self) -> Path:
        """What its workers wrote."""
        return self.site.folder / f"{self.topic}.log"

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]

    def __enter__(self) -> Self:
        for each in planned(load(environment=self.settings()), PARTITIONS, RETENTION_DAYS):
            self.site.kafka.create_topic(each.name, each.partitions, **each.configs)
        with contextlib.closing(open_registry(self.ledger)) as registry:
            registry.create(books=1)
        self.register(Edge.START)
        self.watcher = self._stack.enter_context(Watcher(lambda: self.ledger, self._named))
        return self

    def register(self, edge: Edge) -> None:
        """What `gmv ledger init` does, at first and at each upgrade."""
        with (
            contextlib.closing(open_registry(self.ledger)) as registry,
            contextlib.closing(open_accounts(self.ledger)) as accounts,
        ):
            register_log(describe_topic(self.kafka), edge, registry, accounts)

    def grow(self, partitions: int) -> None:
        """Give the topic more partitions, which records go to from the next load on."""
        with self.site.kafka.admin() as admin:
            admin.create_partitions({self.topic: self.partitions + partitions})
        self.partitions += partitions

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None and self.log.exists():
            error.add_note(f"its workers' log ends: {self.log_tail()}")
        for worker in self._workers:
            if worker.is_running:
                worker.end(signal.SIGKILL)
        self._stack.close()

    def settings(self, **more: object) -> dict[str, str]:
        """Environment of a worker; `more` as in `kafka_group="g"`."""
        wanted: dict[str, object] = {
            "index": self.index,
            "kafka_brokers": self.site.kafka.address,
            "kafka_topic": self.topic,
            "kafka_group": self.topic,
            "kafka_session_seconds": SESSION_SECONDS,
            "kafka_heartbeat_seconds": 1,
            "kafka_run_records_max": 25,
            "ledger_url": self.ledger_url,
            "ledger_namespace": self.topic,
            "valuation_candidates": IMAGES,
            "valuation_contributors": CONTRIBUTORS,
            "valuation_temperature": 1.0,
            "worker_web_port": free_port(),
            **more,
        }
        return {f"GMV_{name.upper()}": str(value) for name, value in wanted.items() if value is not None}

    def fork(self, name: str | None = "one", **more: object) -> Forked:
        """Start a forked worker; `name` is that of a static member, None of a dynamic one."""
        self.starts += 1
        settings = self.settings(kafka_instance_id=name, **more)
        worker = self.site.forked_workers.start(["worker"], settings, self.log)
        self._workers.append(worker)
        return worker

    def start(self, variables: Mapping[str, str], **more: object) -> Worker:
        """Start a worker from nothing, with more variables in its environment."""
        self.starts += 1
        worker = Worker(command("worker"), self.log, self.site.folder, {**self.settings(**more), **variables})
        self._workers.append(worker)
        return worker

    @contextmanager
    def load(self, records_per_second: float = 150.0) -> Iterator[Load]:
        """Send records as long as this is open."""
        brokers = self.site.kafka.address
        sending = Load(brokers, self.topic, self.partitions, self.chance, self._events, records_per_second)
        try:
            with sending:
                yield sending
        finally:
            self._events = sending.number

    @contextmanager
    def crediting(self, records_per_second: float = 150.0, first_seconds_max: float = 60.0) -> Iterator[Load]:
        """Send records, and go on once the first of them are credited."""
        with self.load(records_per_second) as load:
            wait_for(lambda: self.done() > 0, first_seconds_max, "the first credits")
            yield load

    def credit(self, count: int) -> None:
        """Send so many records, and judge them once they are credited."""
        with self.load() as load:
            load.send(count)
        self.wait_until_done()
        self.check()

    def snapshot(self) -> Snapshot:
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            (book,) = accounts.snapshots(balances=True)
        return replace(book, balances=self._named(book.balances))

    def _named(self, balances: Mapping[str, int]) -> Counter[str]:
        named: Counter[str] = Counter()
        for owner, micros in balances.items():
            named[self.oracles_name(owner)] += micros
        return named

    def done(self) -> int:
        """Records behind the ledger's positions; -1 while the ledger is away."""
        try:
            return sum(position.next_offset for position in self.snapshot().positions.values())
        except Refusal:
            return -1

    def wait_for_credits(self, beyond: int, began: float) -> float:
        """Wait until more than so many records are done; return the seconds since `began`, a monotonic time."""
        wait_for(lambda: self.done() > beyond, END_SECONDS_MAX, f"I7: credits beyond {beyond} records")
        return time.monotonic() - began

    def wait_until_done(self) -> None:
        """I7, once nothing is sent any more."""
        ends = last_offsets(self.site.kafka.address, self.topic)

        def is_done() -> bool:
            try:
                positions = self.snapshot().positions
            except Refusal:
                return False
            return all(positions[self.topic, number].next_offset >= end for number, end in ends.items())

        wait_for(is_done, END_SECONDS_MAX, f"I7: the log's end, {ends}")

    def expect_exit(self, worker: Forked | Worker, code: int) -> None:
        """Wait for a worker's end, which has to be of this kind (I8)."""
        found = worker.end()
        if found != code:
            self.violations.append(f"I8: a worker ended with {found}, not {code}: {worker.said[-500:]}")

    def expect_running(self, worker: Forked | Worker) -> None:
        """See that a worker outlived a fault that passes by waiting (I7)."""
        if not worker.is_running:
            self.violations.append(f"I7: a worker ended with {worker.end()}: {worker.said[-500:]}")

    def check(self) -> None:
        """Judge the ledger at rest, and every reading of it on the way."""
        brokers = self.site.kafka.address
        self.violations += judge(brokers, self.topic, self.snapshot(), attempts_max=max(self.starts, 1) * 4)
        self.violations += self.watcher.violations(brokers, self.topic, may_go_back=self.may_go_back)

    def verify(self) -> None:
        """Explain every total by receipts, by what `gmv ledger verify` calls."""
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            try:
                verify_receipts(accounts, lambda: receipts_in_topic(self.kafka, self.kafka.receipts_topic))
            except ConservationBroken as broken:
                self.violations.append(f"I2: {broken}")

    def receipts(self) -> list[dict[str, Any]]:
        """All receipts, committed or not."""
        published = read_topic(self.site.kafka.address, f"{self.topic}.attributions")
        return [orjson.loads(each.value or b"") for each in published]

    def credited(self) -> list[str]:
        """Ids of the events that have receipts, committed or not."""
        return [receipt["event"]["id"] for receipt in self.receipts()]

    def finish(self) -> None:
        """The end of most runs: the log's end is reached (I7), the ledger is right, its receipts explain it."""
        try:
            self.wait_until_done()
        except ServerError as late:
            self.violations.append(f"{late}; its workers' log ends: {self.log_tail()}")
        self.check()
        self.verify()
