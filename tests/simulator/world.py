"""One run: a log, a group of workers and a ledger, whose faults, order and time come out of one seed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from unittest.mock import patch

from gmv.errors import PositionOutsideLog, Refusal
from gmv.ledger.redis import server as gmv_redis_server
from gmv.ledger.redis.accounts import RedisAccounts
from gmv.ledger.redis.registry import RedisRegistry
from gmv.operations.registering import Edge, register_log
from gmv.stream import outcomes
from gmv.stream.records import LogDescription

from .consumer import TOPIC, Consumer
from .group import Coordinator
from .kafka import Brokers, PartitionLog, Topic
from .loop import SimulatedLoop
from .plan import Plan
from .process import Process
from .producer import App, Sender, Shelf
from .redis_client import Primary, Site
from .redis_server import Command, Server
from .worker import Worker, kafka_settings, ledger_settings
from .workload import Meaning, Producer, record_of

TICK_SECONDS = 0.5
REFUSING_SECONDS = 30.0
BELIEVED_SECONDS = 15.0  # how long after a worker saw something it may still end for it


@dataclass
class Slot:
    """A worker that a supervisor keeps running."""

    number: int
    worker: Worker | None = None
    starts_at: float = 0.0
    is_wanted: bool = True


@dataclass
class World:
    """All of a run; `faults.py` changes it, `invariants.py` judges it."""

    seed: int
    is_traced: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    failures: list[tuple[float, Exception]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.plan = plan = Plan.draw(self.chance)
        self.loop = SimulatedLoop()  # type: ignore[abstract]  # it does what gmv asks of a loop
        self.meanings: list[list[Meaning | None]] = [[] for _ in range(plan.partitions)]
        self.producer = Producer(self.chance, plan.mix, sent=[[] for _ in range(plan.partitions)])
        self.topic = Topic("topic-1", [PartitionLog() for _ in range(plan.partitions)])
        self.brokers = Brokers(self.topic, lambda: self.chance.expovariate(100) * plan.brokers_slowness)
        self.group = Coordinator(self.loop, self.chance, plan.partitions)
        settings = kafka_settings()
        self.receipts, self.dead_letters = Shelf(), Shelf()
        self.shelves = {settings.receipts_topic: self.receipts, settings.dead_letters_topic: self.dead_letters}
        self.site = Site(
            [Primary(self.new_server()) for _ in range(plan.primaries)],
            plan.fields_max,
            self.violate,
            self.note,
            self.log,
        )
        self.slots = [Slot(number) for number in range(plan.workers)]
        self.workers: list[Worker] = []
        self.dead_letters_in_a_row_max = 10**6
        self.crashes_per_record_max = 10**6  # processes are killed from outside here, at any record
        self.quiet_since: float | None = None
        self.is_settled = False
        self.registers_at = 0.0
        self._outside_at = -BELIEVED_SECONDS
        self.index = 0
        self.indexes = {0}
        self.lost: Server | None = None
        self.expected_refusal: type[Refusal] | None = None
        self.baseline: Counter[str] = Counter()
        self.log(str(plan))

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Have gmv reach the simulated servers, and cut runs where the plan says."""
        with ExitStack() as stack:
            stack.enter_context(patch.object(gmv_redis_server, "Redis", self.site))
            stack.enter_context(patch.object(outcomes, "FIELDS_MAX", self.plan.fields_max))
            yield

    def note(self, what: str) -> None:
        """Count that something happened."""
        self.seen[what] += 1
        self.log(what)

    def count(self, what: str) -> None:
        """Count that something happened, which the trace has already."""
        self.seen[what] += 1

    def log(self, what: str) -> None:
        """Write down what happened, for a person."""
        if self.is_traced:
            self.trace.append(f"{self.loop.time():9.3f}  {what}")

    def violate(self, invariant: str, what: str) -> None:
        """Write down that an invariant does not hold."""
        self.violations.append(f"{invariant}: {what}")
        self.log(f"VIOLATION {self.violations[-1]}")

    def new_server(self) -> Server:
        """Return an empty Redis server, whose positions are watched (I5)."""
        return Server(after_write=self._after_write)

    def make_ledger(self) -> None:
        """Make the ledger and register the topic, as `gmv ledger init` does."""
        RedisRegistry(ledger_settings("administrator")).create(self.plan.books)
        self.register_topic(Edge.START)
        for primary in self.site.primaries:
            primary.floor = len(primary.server.file)

    def register_topic(self, edge: Edge) -> None:
        """Do what `gmv ledger init` does, at first and at each upgrade of a chart."""
        bounds = {number: self.topic.bounds(number) for number in range(len(self.topic.partitions))}
        settings = ledger_settings("administrator")
        log = LogDescription(TOPIC, self.topic.id, bounds)
        register_log(log, edge, RedisRegistry(settings), RedisAccounts(settings))

    def grow(self) -> None:
        """Give the topic one more partition: records come into it, the group sees it, and somebody registers it."""
        number = len(self.topic.partitions)
        self.topic.partitions.append(PartitionLog())
        self.meanings.append([])
        for _ in range(self.chance.randint(0, 4)):
            self.produce(number)
        for _ in range(self.chance.randint(0, 4)):
            self.loop.outside(self.chance.uniform(0, 20), self.produce, number)
        self.loop.outside(self.chance.uniform(0, 6), self._see_partitions)
        self.registers_at = self.loop.time() + self.chance.uniform(0, 6)

    def _see_partitions(self) -> None:
        self.group.partitions = len(self.topic.partitions)
        self.group.rebalance()

    def _register_what_is_missing(self) -> None:
        """Again until it is there: a server that is away refuses it, and a torn file may lose it."""
        is_lost = self.lost is not None or self.expected_refusal is not None
        if is_lost or self.loop.time() < self.registers_at or len(self.positions()) == len(self.topic.partitions):
            return
        self.registers_at = self.loop.time() + self.chance.uniform(1, 3)
        try:
            self.register_topic(Edge.END)
        except Refusal as refusal:
            self.note(f"not registered: {type(refusal).__name__}")
        else:
            self.note("partitions registered")

    def produce(self, partition: int, is_pending: bool = False, meaning: Meaning | None = None) -> None:
        """Append a record to a partition of the topic that is there now."""
        if self.brokers.topic.partitions[partition].is_cut:
            return
        meaning = meaning or self.producer.draw(partition)
        if self.brokers.topic is self.topic:
            self.meanings[partition].append(meaning)

        self.brokers.topic.partitions[partition].append(partial(record_of, meaning), is_pending)

    def finish_transaction(self, partition: int, is_committed: bool) -> None:
        """Decide a partition's open transaction."""
        log = self.brokers.topic.partitions[partition]
        if log.is_cut:
            return
        before = log.end
        log.finish_transaction(is_committed)
        if self.brokers.topic is self.topic:
            self.meanings[partition] += [None] * (log.end - before)

    def start_worker(self, slot: int, instance: str | None = None) -> Worker:
        """Start a process."""
        name = f"w{slot}-{len(self.workers)}"
        process = Process(name, self.loop, self.chance, self.plan.ledger_slowness)
        self.site.processes[name] = process
        instance = instance or (f"static-{slot}" if self.plan.is_static else None)
        worker: Worker

        def build() -> Worker:
            consumer = Consumer(
                process, self.brokers, self.group, self.chance, self.plan.run_records_max, instance, self.note
            )
            app = App(self.loop, self.brokers.latency, self.shelves, lambda: Sender(name, dict(consumer.seeks)))
            limits = self.dead_letters_in_a_row_max, self.crashes_per_record_max
            return Worker(process, consumer, app, self.loop, self.chance, *limits, self.count, lambda: self.index)

        worker = process.context.run(build)
        self.workers.append(worker)
        self.log(f"{name} starts")
        worker.start()
        return worker

    def supervise(self) -> None:
        """Do what goes on all the time around the workers: expire sessions, restart what ended."""
        self.group.expire()
        if self._is_outside_the_log():
            self._outside_at = self.loop.time()
        for worker in self.workers:
            if places := worker.process.killed_at:
                worker.process.killed_at = []
                self.note("fault: killed at an await")
                for place in places:
                    self.note(f"killed at {place}")
            if worker.failure is not None and worker.is_over:
                self._bury(worker)
        for slot in self.slots:
            if slot.worker is not None and slot.worker.is_over:
                slot.worker = None
                slot.starts_at = self.loop.time() + self.chance.uniform(0.2, 3)
            if slot.worker is None and slot.is_wanted and self.loop.time() >= slot.starts_at:
                slot.worker = self.start_worker(slot.number)
        self._register_what_is_missing()
        self.is_settled = self.quiet_since is not None and (self.is_finished() or self._has_refused(self.quiet_since))
        self.loop.outside(TICK_SECONDS, self.supervise)

    def _bury(self, worker: Worker) -> None:
        failure, worker.failure = worker.failure, None
        assert failure is not None
        self.failures.append((self.loop.time(), failure))
        self.note(f"worker ended: {type(failure).__name__}")
        self.log(f"{worker.process.name}: {failure}")
        if not isinstance(failure, Refusal | RuntimeError):
            self.violate("I8", f"a worker ended by no refusal: {failure!r}")
        if isinstance(failure, PositionOutsideLog) and self.loop.time() - self._outside_at > BELIEVED_SECONDS:
            self.violate("I8", f"a worker refused without a reason: {failure}")

    def positions(self) -> dict[int, tuple[str, int]]:
        """Return the topic id and the offset that each partition has in the ledger."""
        return dict(_positions([primary.server for primary in self.site.primaries]))

    def _is_outside_the_log(self) -> bool:
        """Whether a worker has reason to find a position outside of the log."""
        if self.brokers.topic is not self.topic:
            return True
        servers = [server for each in self.site.primaries for server in (each.server, *each.left_behind.values())]
        logs = self.topic.partitions
        return any(not logs[number].start <= offset <= logs[number].end for number, (_, offset) in _positions(servers))

    def is_finished(self) -> bool:
        """Whether all that can be read, marks and aborted records included, is behind the ledger's positions."""
        positions = self.positions()
        is_there = all(primary.server.file for primary in self.site.primaries)
        return (
            is_there
            and len(positions) == len(self.topic.partitions)
            and all(offset >= self.topic.partitions[number].stable_end for number, (_, offset) in positions.items())
        )

    def refusals_due(self) -> tuple[type[Refusal], ...]:
        """Return how workers have to end, where they have to; of two reasons, the one that is met first."""
        due = (self.expected_refusal, self._refusal_of_retention())
        return tuple(each for each in due if each is not None)

    def _has_refused(self, since: float) -> bool:
        """Whether the workers refuse to go on as they have to, and had time to do something wrong all the same."""
        if self.loop.time() < since + REFUSING_SECONDS:
            return False
        return any(isinstance(failure, self.refusals_due()) for _, failure in self.failures)

    def _refusal_of_retention(self) -> type[Refusal] | None:
        """Where a lost tail of the ledger would have to be read again and is gone from the log."""
        is_gone = any(offset < self.topic.partitions[number].start for number, (_, offset) in self.positions().items())
        return PositionOutsideLog if is_gone else None

    def _after_write(self, server: Server, effects: list[Command]) -> None:
        for command in effects:
            for name, value in zip(command[2::2], command[3::2], strict=True):
                if name.startswith(b"#p:"):
                    _, offset = position_of(value)
                    before = server.offsets.get(name, -1)
                    server.offsets[name] = offset
                    if offset <= before:
                        self.violate("I5", f"{name.decode()} went from {before} to {offset} on one server")


def _positions(servers: Iterable[Server]) -> Iterator[tuple[int, tuple[str, int]]]:
    for server in servers:
        for fields in server.hashes.values():
            for name, value in fields.items():
                if name.startswith(b"#p:"):
                    yield partition_of(name), position_of(value)


def partition_of(field_name: bytes) -> int:
    """Return the partition of a position's field."""
    return int(field_name.rpartition(b":")[2])


def batch_of(value: bytes) -> str:
    """Return the batch that a position names."""
    return value.decode().rpartition("|")[2]


def position_of(value: bytes) -> tuple[str, int]:
    """Return the topic id and the offset of a position."""
    topic_id, offset, _, _ = value.decode().split("|")
    return topic_id, int(offset)
