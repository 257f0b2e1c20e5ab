"""A member of a group with its neighbours in memory: a topic of two partitions that are both its own."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from gmv.errors import LogUnavailable
from gmv.ledger.position import Position
from gmv.settings import KafkaSettings
from gmv.stream.core import Core
from gmv.stream.membership import Member
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Bounds, Partition, Record, Run

from .world import TOPIC_ID, MemoryLedger, MemoryOutbox, Notes, event_record, parts

FIRST, SECOND = Partition("images", 0), Partition("images", 1)
SESSION_SECONDS = 6.0
RUN_RECORDS_MAX = 4


class Log:
    """A topic of two partitions that are both this member's."""

    def __init__(self) -> None:
        self.records = {
            partition: [event_record(offset, f"{partition}-{offset}") for offset in range(6)]
            for partition in (FIRST, SECOND)
        }
        self.id = TOPIC_ID
        self.sought: dict[Partition, int] = {}
        self.paused: set[Partition] = set()
        self.fetch_records = 2
        self.while_reading: Callable[[], object] = lambda: None
        self.failure: Exception | None = None

    async def topic_id(self) -> str:
        return self.id

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        return {partition: Bounds(0, len(self.records[partition])) for partition in partitions}

    def seek(self, partition: Partition, offset: int) -> None:
        self.sought[partition] = offset

    def assignment(self) -> set[Partition]:
        return {FIRST, SECOND}

    def pause(self, partition: Partition) -> None:
        self.paused.add(partition)

    def resume(self, partition: Partition) -> None:
        self.paused.discard(partition)

    async def commit_for_lag_tools(self, offsets: Mapping[Partition, int]) -> None: ...

    async def read(self) -> list[Run]:
        """Return some records of each partition; they stay as they were when something happens meanwhile."""
        runs = [Run(partition, records) for partition in (FIRST, SECOND) if (records := self._next(partition))]
        for run in runs:
            self.sought[run.partition] = run.next_offset
        happening, self.while_reading = self.while_reading, lambda: None
        if (work := happening()) is not None:
            await work  # type: ignore[misc]
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return runs

    def _next(self, partition: Partition) -> tuple[Record, ...]:
        if partition in self.paused:
            return ()
        start = self.sought[partition]
        return tuple(self.records[partition][start : start + self.fetch_records])


class HeldOutbox(MemoryOutbox):
    """An outbox that acknowledges nothing of a partition that is held, and that fails for one that is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Partition] = []
        self.broken: set[Partition] = set()
        self._held: dict[Partition, asyncio.Event] = {}

    def hold(self, partition: Partition) -> None:
        self._held[partition] = asyncio.Event()

    def release(self, partition: Partition) -> None:
        self._held.pop(partition).set()

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        self.asked.append(partition)
        if partition in self._held:
            await self._held[partition].wait()
        if partition in self.broken:
            raise LogUnavailable(f"{partition} is broken")
        await super().publish(partition, receipts, dead_letters)


class Room:
    """A member with its neighbours, and the time."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self.ledger = MemoryLedger({0: Position(TOPIC_ID, 0), 1: Position(TOPIC_ID, 0)})
        self.log = Log()
        self.outbox = HeldOutbox()
        self.now = 0.0
        core = Core(parts(self.ledger, self.outbox, Notes()), executor)
        settings = KafkaSettings(session_seconds=SESSION_SECONDS, run_records_max=RUN_RECORDS_MAX)
        self.member = Member(core, self.log, Notes(), settings, lambda: self.now)

    async def credit_next(self) -> None:
        """Read once and credit all of it; raise what ends the worker."""
        await self.member.read_next()
        for _ in (FIRST, SECOND):
            await self.member.credit_next(lambda: False)
        await self.member.end()
        await self.member.credit_next(lambda: True)

    async def begin(self) -> None:
        """Begin a run of what was read, if one may begin; its partition may be held."""
        await self.member.credit_next(lambda: False)

    async def rebalance(self) -> None:
        await self.member.revoke()
        await self.member.assign({FIRST, SECOND})

    def positions(self) -> list[int]:
        return [self.ledger.state[number].next_offset for number in (0, 1)]

    def rewind(self, number: int, offset: int) -> None:
        """Take the ledger back to an earlier position, as a restored backup does."""
        later = {
            key for key, place in self.ledger.events.items() if place.partition == number and place.offset >= offset
        }
        for identity in later:
            del self.ledger.events[identity]
        self.ledger.state[number] = Position(TOPIC_ID, offset, -1, "earlier")
