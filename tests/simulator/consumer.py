"""A `GroupLog` that behaves as `KafkaLog` over aiokafka 0.14 does, the awkward parts above all.

After an assignment, aiokafka sets partitions that were not sought to the *group's* offset, or reports that there is
none; records are kept in a buffer until they are asked for; a fetch is answered for where the reader was when it
was sent, and thrown away only if the reader has moved since.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol, TypeVar

from typing_extensions import override

from gmv.errors import LogUnavailable, PositionOutsideLog
from gmv.stream.ports import GroupLog, Log, NotSought
from gmv.stream.records import Bounds, Partition, Record, Run

from .group import Coordinator, Place, Verdict
from .kafka import Brokers
from .process import Process

T = TypeVar("T")

HEARTBEAT_SECONDS = 1.0
IDLE_SECONDS = 1.0
RETRY_SECONDS = 5.0
TOPIC = "images"


class Listener(Protocol):
    """Who learns of rebalances."""

    async def on_revoked(self) -> None:
        """Partitions are about to be given to others."""

    async def on_assigned(self, partitions: set[Partition]) -> None:
        """Partitions were given to us."""


@dataclass
class Reading:
    """Where one partition is read, and what was fetched of it ahead."""

    position: int | None = None
    is_paused: bool = False
    fetched_at: int = -1
    fetched: Sequence[Record] = ()
    position_after: int = 0
    failure: PositionOutsideLog | None = None


class Consumer(GroupLog, Log):
    """One process's reader."""

    def __init__(
        self,
        process: Process,
        brokers: Brokers,
        group: Coordinator,
        chance: Random,
        run_records_max: int,
        instance: str | None,
        seen: Callable[[str], None],
    ) -> None:
        self._process = process
        self._brokers = brokers
        self._group = group
        self._chance = chance
        self._run_records_max = run_records_max
        self._instance = instance
        self._seen = seen
        self._loop = group.loop
        self._place: Place | None = None
        self._readings: dict[int, Reading] = {}
        self._rejoin = asyncio.Event()
        self._assigned = asyncio.Event()
        self._has_fetched = asyncio.Event()
        self._has_no_offset = False
        self._failure: Exception | None = None
        self.seeks: dict[int, int] = {}

    def start(self, listener: Listener) -> None:
        """Join the group."""
        self._process.spawn(self._coordinate(listener))
        self._process.spawn(self._beat())

    async def stop(self) -> None:
        """Leave the group; a static member keeps its place."""
        if self._place is not None and self._instance is None:
            place = self._place
            await self._ask(lambda: self._group.leave(place.member))

    @override
    async def topic_id(self) -> str:
        deadline = self._loop.time() + RETRY_SECONDS
        while not self._brokers.is_up:
            if self._loop.time() > deadline:
                raise LogUnavailable("no broker answers")
            await asyncio.sleep(0.5)
        return await self._ask(lambda: self._brokers.topic.id)

    @override
    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        if not self._brokers.is_up:
            raise LogUnavailable("no broker answers")
        return await self._ask(lambda: {each: self._brokers.topic.bounds(each.number) for each in partitions})

    @override
    def assignment(self) -> set[Partition]:
        return {Partition(TOPIC, number) for number in self._readings}

    @override
    def seek(self, partition: Partition, offset: int) -> None:
        reading = self._readings[partition.number]
        reading.position, reading.fetched_at, reading.failure = offset, -1, None
        self.seeks[partition.number] = self.seeks.get(partition.number, 0) + 1

    @override
    def pause(self, partition: Partition) -> None:
        self._readings[partition.number].is_paused = True

    @override
    def resume(self, partition: Partition) -> None:
        self._readings[partition.number].is_paused = False

    @override
    async def commit_for_lag_tools(self, offsets: Mapping[Partition, int]) -> None:
        place = self._place
        by_number = {partition.number: offset for partition, offset in offsets.items()}
        can_be_stored = self._brokers.is_up and self._brokers.is_storing_offsets
        if not can_be_stored or place is None:
            raise LogUnavailable("group offsets cannot be stored")
        if not await self._ask(lambda: self._group.commit(place.member, place.generation, by_number)):
            self._seen("group offsets of a member that is none any more")
            raise LogUnavailable("not a member any more")

    @override
    async def read(self) -> list[Run]:
        await self._assigned.wait()
        if self._failure is not None:
            raise self._failure
        readings = self._readings
        if self._has_no_offset:
            self._has_no_offset = False
            self._seen("read before anything was sought")
            raise NotSought
        if not any(each.fetched and each.fetched_at == each.position for each in readings.values()):
            await self._fetch(readings)
        runs = self._fetched(readings)
        if not runs:
            self._has_fetched.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_fetched.wait(), self._chance.uniform(0.2, IDLE_SECONDS))
            runs = self._fetched(self._readings)
        elif self._chance.random() < 0.5:  # read ahead
            self._process.spawn(self._fetch(readings))
        return runs

    async def _fetch(self, readings: dict[int, Reading]) -> None:
        """Ask from each partition's position now; the answer counts only for those that are there still."""
        asked = {number: each.position for number, each in readings.items() if each.position is not None}
        if not asked or not self._brokers.is_up:
            return
        sizes = {number: self._chance.randint(1, self._run_records_max) for number in asked}
        logs = self._brokers.topic.partitions

        def answer() -> dict[int, tuple[Sequence[Record], int] | None]:
            logs_now = self._brokers.topic.partitions
            if logs_now is not logs:
                self._seen("fetch from a recreated topic")
            return {
                number: logs_now[number].read(offset, sizes[number])
                if logs_now[number].start <= offset <= logs_now[number].end
                else None
                for number, offset in asked.items()
            }

        for number, found in (await self._ask(answer)).items():
            reading = readings[number]
            if readings is not self._readings or reading.position != asked[number]:
                self._seen("fetched records thrown away by the client")
            elif found is None:
                reading.failure = PositionOutsideLog(f"{TOPIC}[{number}]: offset {asked[number]} is gone")
            else:
                reading.fetched_at = asked[number]
                reading.fetched, reading.position_after = found

    def _fetched(self, readings: dict[int, Reading]) -> list[Run]:
        runs = []
        for number, reading in readings.items():
            if readings is self._readings and reading.failure is not None:
                failure, reading.failure = reading.failure, None
                raise failure
            if readings is not self._readings or reading.is_paused or reading.fetched_at != reading.position:
                continue
            if reading.position_after != reading.position:
                runs.append(Run(Partition(TOPIC, number), tuple(reading.fetched), reading.position_after))
            reading.position, reading.fetched, reading.fetched_at = reading.position_after, (), -1
        return runs

    async def _coordinate(self, listener: Listener) -> None:
        while True:
            self._assigned.clear()
            await listener.on_revoked()
            place = await self._join()
            if place is None:
                self._fence()
                return
            self._place = place
            self._rejoin.clear()
            self._failure, self._has_no_offset = None, False
            self._readings = {number: Reading() for number in sorted(place.partitions)}
            self._assigned.set()
            self._process.spawn(self._start_at_group_offsets(self._readings))
            await listener.on_assigned({Partition(TOPIC, number) for number in place.partitions})
            await self._rejoin.wait()

    def _join(self) -> Awaitable[Place | None]:
        joined: asyncio.Future[Place | None] = self._loop.create_future()

        def reply(place: Place | None) -> None:
            self._loop.outside(self._brokers.latency(), lambda: joined.done() or joined.set_result(place))

        member = self._place.member if self._place else None
        self._loop.outside(self._brokers.latency(), self._group.join, member, self._instance, reply)
        return joined

    async def _start_at_group_offsets(self, readings: dict[int, Reading]) -> None:
        offsets = await self._ask(lambda: dict(self._group.offsets))
        for number, reading in readings.items():
            if readings is not self._readings or reading.position is not None:
                continue
            if number in offsets:
                self._seen("partition set to the group's offset by the client")
                reading.position = offsets[number]
            else:
                self._has_no_offset = True
        await self._fetch(readings)
        self._has_fetched.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            place = self._place
            if place is None or not self._brokers.is_up:
                continue
            verdict = await self._ask(partial(self._group.heartbeat, place.member, place.generation, self._instance))
            if place is not self._place:
                continue
            if verdict is Verdict.FENCED:
                self._fence()
            elif verdict is not Verdict.OK:
                self._rejoin.set()

    def _fence(self) -> None:
        self._failure = RuntimeError("another process has this static member's place")
        self._seen("static member fenced")
        self._assigned.set()

    async def _ask(self, what: Callable[[], T]) -> T:
        """Have the brokers do something, after a request has travelled and before its answer has."""
        answered: asyncio.Future[T] = self._loop.create_future()

        def arrive() -> None:
            if not self._brokers.is_up:  # asked again, by the client itself, when they are back
                self._loop.outside(0.3, arrive)
                return
            answer = what()
            self._loop.outside(
                self._brokers.latency(), lambda: None if answered.done() else answered.set_result(answer)
            )

        self._loop.outside(self._brokers.latency(), arrive)
        return await answered
