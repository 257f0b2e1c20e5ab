"""A member of a consumer group: fetched runs of the partitions it owns into the worker core, safely at all times.

Rules, each earned by a fault that was seen:

- Reading never waits for crediting, and while a run is published and committed, that of another partition is
  attributed. Of one partition no run is begun before the last has ended: it would begin beyond the position.
- One lock around the beginning of runs and rebalances; who holds it for a rebalance waits for the runs in flight, so
  they end before their partitions are revoked.
- A *turn* counter, raised when partitions are sought, since a fetch may be in flight: what was fetched on an
  earlier turn is thrown away and fetched again, for it may begin beyond the place that was sought.
- No run is begun after one has failed: it could begin beyond that one.
- When unsure, seek to the ledger's position.
- Partitions that were added to the topic and are not registered yet wait, paused; all others go on.
- The ledger is looked at now and then also where nothing is to be committed: a server that lost a tail of an idle
  partition would otherwise not be noticed.
- No run is published unless the topic's id was confirmed after it was fetched: what a recreated topic holds at the
  same offsets would be credited otherwise. The question takes 1.7 ms, while the run is attributed.

No client of Kafka is known here, nor is any clock but the one given, so that a simulator can play all of it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from gmv.errors import LedgerUnavailable, LogUnavailable, PositionOutsideLog
from gmv.ledger.port import Committed, Fenced, Rewound
from gmv.settings import KafkaSettings
from gmv.stream.in_flight import RunsInFlight
from gmv.stream.ports import Creditor, GroupLog, NotSought, Observer
from gmv.stream.records import Partition, Run
from gmv.stream.waiting import WaitingRuns

UNSOUGHT_WAIT_SECONDS = 0.02
IDLE_WAIT_SECONDS = 0.2  # how long a stop may have to wait for a worker that has nothing to do

logger = logging.getLogger(__name__)


class Member:
    """Credits the partitions it owns. What its methods raise has to end the worker; they log what need not."""

    def __init__(
        self,
        core: Creditor,
        log: GroupLog,
        observer: Observer,
        kafka: KafkaSettings,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._core = core
        self._log = log
        self._observer = observer
        self._kafka = kafka
        self._monotonic = monotonic
        self._beginning = asyncio.Lock()
        self._waiting = WaitingRuns(kafka.run_records_max)
        self._moved = asyncio.Event()
        self._in_flight = RunsInFlight(self._credit, self._moved.set)
        self._turn = 0
        self._owned: set[Partition] = set()
        self._dropped_at: dict[Partition, float] = {}
        self._unregistered: set[Partition] = set()
        self._reported: dict[Partition, int] = {}
        self._topic_id = ""

    async def begin(self) -> None:
        """Learn which topic is meant; before the group is joined."""
        self._topic_id = await self._log.topic_id()

    async def end(self) -> None:
        """Let the runs in flight end, and report to the lag tools."""
        async with self._alone():
            await self._report_to_lag_tools()

    async def revoke(self) -> None:
        """A rebalance revokes all partitions: let them go once the runs in flight have ended."""
        async with self._alone():
            await self._report_to_lag_tools()
            await self._assign(set())

    async def assign(self, partitions: set[Partition]) -> None:
        """A rebalance assigns partitions: read them from the ledger's positions."""
        async with self._alone():
            await self._assign(partitions)

    async def read_next(self) -> None:
        """Read once, for `credit_next`; waits while as much is at hand as a run may hold."""
        while self._waiting.are_enough:
            await self._wait_for_move()
        turn = self._turn
        try:
            runs = await self._log.read()
        except (NotSought, PositionOutsideLog) as error:
            await self._seek_again_after(turn, error)
            return
        if turn != self._turn:
            self._seek_owned()
            return
        for run in runs:
            if run.partition in self._owned:
                self._waiting.add(run)
                self._moved.set()

    async def credit_next(self, is_stopping: Callable[[], bool]) -> None:
        """Begin one run of those that were read, and return when it is attributed: it is committed meanwhile.

        Returns after a short wait where there is none to begin; a stop is obeyed between runs.

        Raises:
            Refusal: this run could not be credited, or an earlier one.
        """
        async with self._beginning:
            if self._in_flight.failure is not None:
                raise self._in_flight.failure
            if not is_stopping() and (run := self._next_run()) is not None:
                self._moved.set()  # there is room to read more
                await self._in_flight.begin(run, asyncio.ensure_future(self._confirm_topic()))
                return
        await self._wait_for_move()

    async def assign_dropped(self) -> None:
        """No rebalance came within a session time-out, so the partition is ours after all: check its position."""
        async with self._alone():
            oldest = min(self._dropped_at.values(), default=None)
            if oldest is None or self._monotonic() - oldest < self._kafka.session_seconds:
                return
            dropped = set(self._dropped_at)
            await self._assign(self._owned | dropped | self._unregistered)
            for partition in dropped & self._log.assignment():
                self._log.resume(partition)

    async def check_ledger(self) -> None:
        """See whether the ledger moved without us: its server lost a tail, or a partition is another worker's now."""
        async with self._alone():
            try:
                if self._unregistered and await self._core.unregistered(self._unregistered) != self._unregistered:
                    await self._assign(self._owned | self._unregistered)
                answers = await self._core.check(self._owned)
            except LedgerUnavailable as error:  # it may come back before there is anything to commit
                logger.debug("the ledger was not looked at: %s", error)
                return
            for partition, answer in answers.items():
                self._yield_to(partition, answer)

    async def report_lag(self) -> None:
        """Report to the lag tools how far we are, and to the observer what the log holds."""
        async with self._beginning:
            await self._report_to_lag_tools()
            owned = self._owned & self._log.assignment()
        try:
            self._observer.bounds_read(await self._log.bounds(owned) if owned else {})
        except LogUnavailable as error:
            logger.warning("lag is not known: %s", error)

    async def check_topic(self) -> None:
        """Confirm the topic's id."""
        try:
            await self._confirm_topic()
        except LogUnavailable as error:  # brokers may come back; no run is credited unconfirmed meanwhile
            logger.debug("the topic's id was not confirmed: %s", error)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Begin no run meanwhile, and have none in flight."""
        async with self._beginning:
            await self._in_flight.all_ended()
            yield

    def _next_run(self) -> Run | None:
        """Return the run to begin now, if there is one; beside it no more records are in flight than a run may hold.

        Otherwise brokers that are slow to take receipts would fill a worker of many partitions with attributed runs.
        """
        if self._in_flight.records > self._kafka.run_records_max:
            return None
        return self._waiting.take(not_of=self._in_flight.partitions)

    async def _credit(self, run: Run, confirmed: Awaitable[None]) -> None:
        answer = await self._core.credit(run, confirmed)
        if not isinstance(answer, Committed):
            self._yield_to(run.partition, answer)

    def _yield_to(self, partition: Partition, answer: Fenced | Rewound) -> None:
        self._waiting.drop(partition)
        self._turn += 1
        match answer:
            case Fenced():
                self._drop(partition)
            case Rewound():
                self._log.seek(partition, self._core.next_offset(partition))

    async def _wait_for_move(self) -> None:
        """Wait for a run that was read, or one that ended; not for long."""
        self._moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_WAIT_SECONDS):
                await self._moved.wait()

    async def _assign(self, partitions: set[Partition]) -> None:
        waited = self._unregistered
        self._owned = set()
        self._waiting.clear()
        self._dropped_at = {}
        self._unregistered = await self._core.unregistered(partitions)
        await self._core.assign(partitions - self._unregistered, self._log)
        self._owned = partitions - self._unregistered
        self._wait_for_registration(waited)
        self._reported = {}
        self._seek_owned()
        self._turn += 1

    def _wait_for_registration(self, waited: set[Partition]) -> None:
        """Read nothing of partitions that were added to the topic and nobody registered; go on with all others."""
        for partition in self._unregistered & self._log.assignment():
            self._log.pause(partition)
            self._log.seek(partition, 0)  # any place: a client asks for one of a partition that is paused, too
        for partition in waited & self._owned & self._log.assignment():
            self._log.resume(partition)
        if self._unregistered - waited:
            logger.warning(
                "partitions %s were added to %s and wait, while all others are credited: run `gmv ledger init --topic "
                "%s --brokers %s` with this worker's settings of the ledger. They are credited from their beginning "
                "then, within seconds and without a new start",
                sorted(partition.number for partition in self._unregistered),
                self._kafka.topic,
                self._kafka.topic,
                self._kafka.brokers,
            )

    def _seek_owned(self) -> None:
        """Read again from the positions; what is in flight is read twice, and dropped as it lies below them then."""
        self._waiting.clear()
        for partition in self._owned & self._log.assignment():
            self._log.seek(partition, self._core.next_offset(partition))

    async def _seek_again_after(self, turn: int, error: NotSought | PositionOutsideLog) -> None:
        """Before we seek, clients begin at the group's offset, which may be gone: that says nothing of the ledger's."""
        async with self._alone():
            if turn == self._turn:
                if isinstance(error, PositionOutsideLog) and self._owned:
                    await self._see_who_was_ahead(error)
                self._seek_owned()
        await asyncio.sleep(UNSOUGHT_WAIT_SECONDS)

    async def _see_who_was_ahead(self, error: PositionOutsideLog) -> None:
        """Raise unless another worker credited what is gone, so that only our own place was outside the log.

        Clients report the place of a partition that was dropped, too, though it is paused.
        """
        before = self._next_offsets()
        await self._core.assign(self._owned, self._log)
        if not self._dropped_at and self._next_offsets() == before:
            raise error

    def _next_offsets(self) -> dict[Partition, int]:
        return {partition: self._core.next_offset(partition) for partition in self._owned}

    def _drop(self, partition: Partition) -> None:
        """Somebody else moved the position on. A rebalance is due that this worker has not heard of yet."""
        self._owned.discard(partition)
        self._dropped_at[partition] = self._monotonic()
        self._log.pause(partition)

    async def _report_to_lag_tools(self) -> None:
        """Commit the group's offsets, which decide nothing here: where to read next is in the ledger."""
        moved = {
            partition: offset
            for partition, offset in self._next_offsets().items()
            if self._reported.get(partition) != offset
        }
        if not moved:
            return
        try:
            await self._log.commit_for_lag_tools(moved)
            self._reported |= moved
        except LogUnavailable as error:
            logger.warning("lag tools lag: %s", error)

    async def _confirm_topic(self) -> None:
        found = await self._log.topic_id()
        if found != self._topic_id:
            raise PositionOutsideLog(
                f"topic {self._kafka.topic!r} was deleted and made again while running (id {self._topic_id} became "
                f"{found}); nothing of the new one was credited. Give the new topic another name"
            )
