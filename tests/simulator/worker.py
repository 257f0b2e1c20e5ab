"""One worker process: the real member, core, outbox and ledger, held as the pump holds them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from typing_extensions import override

from gmv.errors import Poison
from gmv.events.model import GeneratedImage
from gmv.kafka.outbox import KafkaOutbox
from gmv.kafka.pump import LAG_REPORT_SECONDS, LEDGER_CHECK_SECONDS, TOPIC_CHECK_SECONDS
from gmv.ledger.port import Answer, Batch, Rewound
from gmv.ledger.position import Position
from gmv.ledger.redis.ledger import RedisLedger
from gmv.settings import KafkaSettings, LedgerSettings
from gmv.stream.core import Core, Parts
from gmv.stream.dead_letter_limits import DeadLetterLimits
from gmv.stream.membership import Member
from gmv.stream.outcomes import Stamp
from gmv.stream.ports import Observer, RunSummary, Valuer
from gmv.stream.records import Bounds, Partition
from gmv.stream.stamped import StampedValuer, Valuers
from gmv.valuation.types import Attribution
from tests.stream.world import EqualShares, JsonDecoder

from .consumer import HEARTBEAT_SECONDS, TOPIC, Consumer
from .group import REBALANCE_SECONDS, SESSION_SECONDS
from .loop import SimulatedLoop
from .process import LEDGER_RETRY_SECONDS, Interrupted, Process
from .producer import App
from .workload import DEADLY, credited_by

NAMESPACE = "gmv"
AT_ONCE = 1e-9  # tries are made by the simulated thread, in its own time


def kafka_settings() -> KafkaSettings:
    """Return the settings of all workers."""
    return KafkaSettings(
        topic=TOPIC,
        session_seconds=SESSION_SECONDS,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        rebalance_seconds=REBALANCE_SECONDS,
        retry_seconds=LEDGER_RETRY_SECONDS,
    )


def ledger_settings(client: str) -> LedgerSettings:
    """Return the settings of one client of the ledger, which is known by the host of its URL."""
    return LedgerSettings(url=f"redis://{client}:6379/0", namespace=NAMESPACE, retry_seconds=AT_ONCE)


@dataclass(frozen=True)
class Watch(Observer):
    """An `Observer` that only counts."""

    seen: Callable[[str], None]

    @override
    def run_finished(self, summary: RunSummary) -> None:
        for reason in summary.dead_letters:
            self.seen(f"dead letter: {reason}")

    @override
    def positions_assigned(self, positions: Mapping[Partition, Position]) -> None:
        pass

    @override
    def bounds_read(self, bounds: Mapping[Partition, Bounds]) -> None:
        pass

    @override
    def commit_refused(self, partition: Partition, answer: Answer) -> None:
        pass


@dataclass(frozen=True)
class Deadly(Valuer):
    """A `Valuer` by an index, that some events end the process of, as a fault in native code does."""

    process: Process
    index: int

    @override
    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        if any(event.event_id.startswith(DEADLY) for event in events):
            self.process.kill()
            raise Interrupted
        return EqualShares(partial(credited_by, self.index)).attribute(events)


class PublishedIndexes(Valuers):
    """`Valuers` of the index that was published when the worker last looked."""

    def __init__(self, process: Process, index: int) -> None:
        self._process = process
        self.index = index

    @override
    def current(self) -> StampedValuer:
        return StampedValuer(Deadly(self._process, self.index), Stamp(str(self.index), f"settings of {self.index}"))


class CountedLedger(RedisLedger):
    """A Redis ledger whose answers are counted."""

    def __init__(self, settings: LedgerSettings, seen: Callable[[str], None]) -> None:
        super().__init__(settings)
        self._seen = seen

    @override
    def commit(self, batch: Batch) -> Answer:
        answer = super().commit(batch)
        is_in_place = isinstance(answer, Rewound) and answer.found == batch.expected
        self._seen(f"answer: {type(answer).__name__}{' in place' if is_in_place else ''}")
        return answer


class Worker:
    """A worker from its start to its end."""

    def __init__(
        self,
        process: Process,
        consumer: Consumer,
        app: App,
        loop: SimulatedLoop,
        chance: Random,
        dead_letters_in_a_row_max: int,
        crashes_per_record_max: int,
        seen: Callable[[str], None],
        published_index: Callable[[], int],
    ) -> None:
        settings = kafka_settings()
        self.process = process
        self.failure: Exception | None = None
        self.has_ended = False
        self._consumer = consumer
        self._chance = chance
        self._is_stopping = False
        self._published_index = published_index
        self._valuers = PublishedIndexes(process, published_index())
        watch = Watch(seen)
        parts = Parts(
            decoder=JsonDecoder(),
            valuers=self._valuers,
            ledger=CountedLedger(ledger_settings(process.name), seen),
            outbox=KafkaOutbox(app, settings),  # type: ignore[arg-type]
            observer=watch,
            limits=lambda: DeadLetterLimits(dead_letters_in_a_row_max, 1.0),
            crashes_per_record_max=crashes_per_record_max,
        )
        core = Core(parts, process.thread)  # type: ignore[arg-type]
        self._member = Member(core, consumer, watch, settings, loop.time)

    def start(self) -> None:
        """Join the group and credit."""
        self.process.spawn(self._run())

    def stop(self) -> None:
        """Stop in order, as after SIGTERM."""
        if not self._is_stopping and self.process.is_alive:
            self._is_stopping = True
            self.process.spawn(self._stop())

    @property
    def is_over(self) -> bool:
        """Whether it ended, or was killed."""
        return self.has_ended or not self.process.is_alive

    async def on_revoked(self) -> None:
        """See `Pump.on_partitions_revoked`."""
        async with self._ending_on_failure():
            await self._member.revoke()

    async def on_assigned(self, partitions: set[Partition]) -> None:
        """See `Pump.on_partitions_assigned`."""
        async with self._ending_on_failure():
            await self._member.assign(partitions)

    async def _run(self) -> None:
        async with self._ending_on_failure():
            await self._member.begin()
            self._consumer.start(self)
            self.process.spawn(self._every(1.0, self._member.assign_dropped))
            self.process.spawn(self._every(LEDGER_CHECK_SECONDS, self._member.check_ledger))
            self.process.spawn(self._every(LAG_REPORT_SECONDS, self._member.report_lag))
            self.process.spawn(self._every(TOPIC_CHECK_SECONDS, self._member.check_topic))
            self.process.spawn(self._read())
            self.process.spawn(self._follow_index())
            while not self._is_stopping:
                await self._member.credit_next(lambda: self._is_stopping)

    async def _read(self) -> None:
        async with self._ending_on_failure():
            while not self._is_stopping:
                await self._member.read_next()

    async def _follow_index(self) -> None:
        """Take another index some time after it was published: while runs are read, attributed and committed."""
        while not self._is_stopping:
            await asyncio.sleep(self._chance.expovariate(2.0))
            self._valuers.index = self._published_index()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while not self._is_stopping:
            await asyncio.sleep(seconds)
            async with self._ending_on_failure():
                await work()

    async def _stop(self) -> None:
        async with self._ending_on_failure():
            await self._member.end()
            await self._consumer.stop()
        self._end()

    @asynccontextmanager
    async def _ending_on_failure(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as in the pump
            if self.failure is None:
                self.failure = error
                self._is_stopping = True
                self.process.spawn(self._die())

    async def _die(self) -> None:
        """The app stops, or the dead-man timer ends the process: what is in flight may go on until then."""
        await asyncio.sleep(self._chance.uniform(0, 1))
        self._end()

    def _end(self) -> None:
        self.has_ended = True
        self.process.kill()
