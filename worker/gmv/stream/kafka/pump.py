"""The pump: fetched runs of owned partitions into the worker core, safely across rebalances, freezes and restarts.

Rules, each earned by a fault that was seen:

- One lock around batches and rebalance callbacks: a run in flight ends before its partition is given up.
- A *turn* counter, raised by each rebalance: what was fetched on an earlier turn is thrown away and fetched again,
  for a fetch in flight across a rebalance may return records from before the seek.
- In doubt, seek to the ledger's position.
- No run is credited unless the topic's id was confirmed within a third of a session time-out: a worker that was
  frozen and woke up onto a topic made anew would credit its records.
- aiokafka logs and swallows what a rebalance callback raises, so the callbacks end the worker themselves.
- A fatal error crashes the app; where that hangs, a dead-man timer ends the process.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError
from mode import Service

from gmv.errors import LogUnavailable, PositionOutsideLog, Refusal
from gmv.ledger.port import Fenced, Rewound
from gmv.settings import KafkaSettings
from gmv.stream.core import Core
from gmv.stream.kafka.log import KafkaLog
from gmv.stream.ports import Observer
from gmv.stream.records import Partition, Run

DEAD_MAN_SECONDS = 5.0
TOPIC_CHECK_SECONDS = 5.0
LAG_REPORT_SECONDS = 2.0
UNSOUGHT_WAIT_SECONDS = 0.02


class Ending:
    """How a worker ended.

    Attributes:
        failure: what ended it, None after an orderly stop.
    """

    failure: BaseException | None = None


class Pump(Service, ConsumerRebalanceListener):  # type: ignore[misc]  # neither base is typed
    """A service of the Faust app."""

    def __init__(
        self, core: Core, log: KafkaLog, observer: Observer, kafka: KafkaSettings, ending: Ending, **service: Any
    ) -> None:
        super().__init__(**service)
        self._core = core
        self._kafka_log = log
        self._observer = observer
        self._kafka = kafka
        self._busy = asyncio.Lock()
        self._turn = 0
        self._owned: set[Partition] = set()
        self._dropped_at: dict[Partition, float] = {}
        self._reported: dict[Partition, int] = {}
        self._topic_id = ""
        self._topic_confirmed_at = 0.0
        self._ending = ending

    async def on_start(self) -> None:
        """Join the group."""
        self._topic_id = await self._kafka_log.topic_id()
        self._topic_confirmed_at = time.monotonic()
        await self._kafka_log.start(self)

    async def on_stop(self) -> None:
        """Let the run in flight end, tell the lag tools, leave."""
        async with self._busy:
            await self._report_to_lag_tools()
        await self._kafka_log.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give the partitions up, once the run in flight has ended."""
        async with self._ending_on_failure(), self._busy:
            self._turn += 1
            await self._report_to_lag_tools()
            await self._take_up(set())

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take the partitions up where the ledger stands."""
        async with self._ending_on_failure(), self._busy:
            self._turn += 1
            await self._take_up({Partition(each.topic, each.partition) for each in assigned})

    @Service.task
    async def _pump(self) -> None:
        async with self._ending_on_failure():
            while not self.should_stop:
                turn = self._turn
                try:
                    runs = await self._kafka_log.read()
                except NoOffsetForPartitionError:  # assigned, and not yet sought
                    await self._seek_again_after(turn)
                    continue
                async with self._busy:
                    await self._credit(turn, runs)

    async def _credit(self, turn: int, runs: list[Run]) -> None:
        if turn != self._turn:
            self._seek_owned()
            return
        for run in runs:
            if self.should_stop or run.partition not in self._owned:
                continue
            await self._confirm_topic(age_seconds_max=self._kafka.session_seconds / 3)
            match await self._core.credit(run):
                case Fenced():
                    self._drop(run.partition)
                case Rewound():
                    self._kafka_log.seek(run.partition, self._core.next_offset(run.partition))

    async def _take_up(self, partitions: set[Partition]) -> None:
        self._owned = set()
        self._dropped_at = {}
        await self._core.take_up(partitions, self._kafka_log)
        self._owned = partitions
        self._reported = {}
        self._seek_owned()

    def _seek_owned(self) -> None:
        for partition in self._owned & self._kafka_log.assignment():
            self._kafka_log.seek(partition, self._core.next_offset(partition))

    async def _seek_again_after(self, turn: int) -> None:
        async with self._busy:
            if turn == self._turn:
                self._seek_owned()
        await self.sleep(UNSOUGHT_WAIT_SECONDS)

    def _drop(self, partition: Partition) -> None:
        """Somebody else moved the position on. A rebalance is due that this worker has not heard of yet."""
        self._owned.discard(partition)
        self._dropped_at[partition] = time.monotonic()
        self._kafka_log.pause(partition)

    @Service.timer(1.0)
    async def _take_up_dropped(self) -> None:
        """No rebalance came within a session time-out, so the partition is ours after all: look where it stands."""
        async with self._ending_on_failure(), self._busy:
            oldest = min(self._dropped_at.values(), default=None)
            if oldest is None or time.monotonic() - oldest < self._kafka.session_seconds:
                return
            dropped = set(self._dropped_at)
            await self._take_up(self._owned | dropped)
            for partition in dropped & self._kafka_log.assignment():
                self._kafka_log.resume(partition)

    @Service.timer(LAG_REPORT_SECONDS)
    async def _report_lag(self) -> None:
        async with self._busy:
            await self._report_to_lag_tools()
            owned = self._owned & self._kafka_log.assignment()
        try:
            self._observer.bounds_read(await self._kafka_log.bounds(owned) if owned else {})
        except LogUnavailable as error:
            self.log.warning("lag is not known: %s", error)

    async def _report_to_lag_tools(self) -> None:
        """Commit the group's offsets, which decide nothing here: where to read next is in the ledger."""
        standing = {partition: self._core.next_offset(partition) for partition in self._owned}
        moved = {partition: offset for partition, offset in standing.items() if self._reported.get(partition) != offset}
        if not moved:
            return
        try:
            await self._kafka_log.commit_for_lag_tools(moved)
            self._reported |= moved
        except LogUnavailable as error:
            self.log.warning("lag tools lag: %s", error)

    @Service.timer(TOPIC_CHECK_SECONDS)
    async def _check_topic(self) -> None:
        async with self._ending_on_failure():
            try:
                await self._confirm_topic(age_seconds_max=0.0)
            except LogUnavailable as error:  # brokers may come back; no run is credited unconfirmed meanwhile
                self.log.warning("the topic's id was not confirmed: %s", error)

    async def _confirm_topic(self, age_seconds_max: float) -> None:
        if time.monotonic() - self._topic_confirmed_at <= age_seconds_max:
            return
        found = await self._kafka_log.topic_id()
        if found != self._topic_id:
            raise PositionOutsideLog(
                f"topic {self._kafka.topic!r} was deleted and made again while running (id {self._topic_id} became "
                f"{found}); nothing of the new one was credited. Give the new topic another name"
            )
        self._topic_confirmed_at = time.monotonic()

    @asynccontextmanager
    async def _ending_on_failure(self) -> AsyncIterator[None]:
        """The one place that handles what nothing else can: end the worker, and let a supervisor start it anew."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, going on would be a worker that only looks alive
            if self._ending.failure is None:
                self._ending.failure = error
                dead_man = threading.Timer(DEAD_MAN_SECONDS, _end_process, [error])
                dead_man.daemon = True
                dead_man.start()
            await self.crash(error)


def exit_code_of(failure: BaseException) -> int:
    """Return what a process ended by this failure exits with."""
    return failure.exit_code if isinstance(failure, Refusal) else os.EX_SOFTWARE


def _end_process(failure: BaseException) -> None:
    """End the process though its event loop hangs: an app that crashed while rejoining was seen never to exit."""
    sys.stderr.write(f"gmv: {failure}\n")
    sys.stderr.flush()
    os._exit(exit_code_of(failure))
