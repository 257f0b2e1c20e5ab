"""A Kafka topic as a log, read as a member of a consumer group. Public aiokafka API only."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    IllegalStateError,
    InvalidSessionTimeoutError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownError,
)
from typing_extensions import override

from gmv.errors import InvalidSettings, LogRefused, LogUnavailable, PositionOutsideLog
from gmv.kafka.access import CLIENT_ID, DENIALS, NO_MEMBER, SessionLimits, connection, denied, unfit_session
from gmv.kafka.admin import Holder
from gmv.kafka.silence import no_answer
from gmv.settings import KafkaSettings
from gmv.stream.ports import GroupLog, NotSought
from gmv.stream.records import Bounds, Partition, Record, Run

_LEAVE_SECONDS_MAX = 3.0  # aiokafka would wait for ever where no broker is up
_RETRY_WAIT_SECONDS = 0.5  # kafka-python fails at once where it knows no broker that is up
_READ_WAIT_MS = 200  # how long a stop or a drop of a partition may have to wait for an idle read
_METADATA_MS = 5_000  # partitions that are added to the topic are noticed within that; the default is five minutes
_FETCH_BYTES = 8 * 2**20
"""Of one partition at once; of all together it is the client's own 50 MiB. With its default, 1 MiB, 73 events with
their features were a fetch, and so a run: 65 commits where 25 do."""


class MembershipRefused(Exception):  # noqa: N818 - a flow word
    """The group refuses this member for a reason that the client has no name for: as a rule, its name is another's."""


class TopicQuestions(Protocol):
    """The part of a `TopicAdmin` that is used; blocking, and raises as that does."""

    def topic_id(self) -> str:
        """Return the id the brokers gave the topic when it was created."""

    def holder(self, instance_id: str) -> Holder | None:
        """Return which member of the group has that `group.instance.id`, None where none has."""

    def session_limits(self) -> SessionLimits | None:
        """Return how long brokers let members of a group be silent, None where they do not tell this user."""


class KafkaLog(GroupLog):
    """Reads one topic. Where to read next is never the group's committed offset; its reader must `seek`."""

    def __init__(self, kafka: KafkaSettings, admin: TopicQuestions) -> None:
        self._kafka = kafka
        self._admin = admin
        self._asking_admin = asyncio.Lock()  # kafka-python's clients are not for several threads at once
        self._consumer: AIOKafkaConsumer | None = None
        self._read_to: dict[TopicPartition, int] = {}

    async def start(self, listener: ConsumerRebalanceListener) -> None:
        """Connect, and join the group.

        Raises:
            LogUnavailable: no broker answers.
            LogRefused: this user may not.
        """
        kafka = self._kafka
        self._consumer = AIOKafkaConsumer(
            **connection(kafka),
            group_id=kafka.group,
            group_instance_id=kafka.instance_id,
            client_id=kafka.instance_id or CLIENT_ID,
            enable_auto_commit=False,
            auto_offset_reset="none",  # a position the log does not hold is an error, never a jump
            isolation_level=kafka.isolation,
            session_timeout_ms=int(kafka.session_seconds * 1_000),
            heartbeat_interval_ms=int(kafka.heartbeat_seconds * 1_000),
            rebalance_timeout_ms=int(kafka.rebalance_seconds * 1_000),
            max_partition_fetch_bytes=_FETCH_BYTES,
            metadata_max_age_ms=_METADATA_MS,
            max_poll_interval_ms=int(10 * kafka.rebalance_seconds * 1_000),  # the stuck detector speaks long before
        )
        try:
            await self._consumer.start()
        except DENIALS as error:
            raise denied(kafka, error) from error
        except KafkaError as error:
            raise await asyncio.to_thread(no_answer, kafka, error) from error
        self._consumer.subscribe([kafka.topic], listener=listener)

    async def stop(self) -> None:
        """Leave the group and disconnect. A static member keeps its place for one session time-out.

        Where no broker hears it, the group finds out by itself: all that was credited is in the ledger already.
        """
        if self._consumer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._consumer.stop(), _LEAVE_SECONDS_MAX)

    @override
    async def topic_id(self) -> str:
        """Ask the brokers for the topic's id, again and again while they are away, for as long as the settings say."""
        deadline = time.monotonic() + self._kafka.retry_seconds
        async with self._asking_admin:
            while True:
                try:
                    return await asyncio.to_thread(self._admin.topic_id)
                except LogUnavailable:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(_RETRY_WAIT_SECONDS)

    async def holder(self, instance_id: str) -> Holder | None:
        """Return which member of the group has that name, None where none has.

        Raises:
            LogUnavailable: the brokers do not say.
        """
        async with self._asking_admin:
            return await asyncio.to_thread(self._admin.holder, instance_id)

    @override
    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Return the offsets each partition holds now; the end is the last stable offset under `read_committed`.

        The high watermark beyond it is that of the newest fetch, half a second old at most: it is not asked for.
        """
        wanted = [_topic_partition(partition) for partition in partitions]
        highs = {each: self._started.highwater(each) or 0 for each in wanted if each in self._started.assignment()}
        try:
            starts = await self._started.beginning_offsets(wanted)
            ends = await self._started.end_offsets(wanted)
        except KafkaError as error:
            raise LogUnavailable(
                f"Kafka at {self._kafka.brokers} does not report the log's bounds ({error})"
            ) from error
        return {
            _partition(each): Bounds(starts[each], ends[each], max(0, highs.get(each, 0) - ends[each]))
            for each in wanted
        }

    @override
    def assignment(self) -> set[Partition]:
        """Return the partitions the group gave to this member."""
        return {_partition(each) for each in self._started.assignment()}

    @override
    def seek(self, partition: Partition, offset: int) -> None:
        """Read the partition from that offset on."""
        self._started.seek(_topic_partition(partition), offset)
        self._read_to[_topic_partition(partition)] = offset

    @override
    def pause(self, partition: Partition) -> None:
        """Read nothing of the partition until it is assigned again or resumed."""
        self._started.pause(_topic_partition(partition))

    @override
    def resume(self, partition: Partition) -> None:
        """Read the partition again."""
        self._started.resume(_topic_partition(partition))

    @override
    async def read(self) -> list[Run]:
        """Return what was fetched, one run per partition; empty after a short wait with nothing new, and after `stop`.

        A run without records says that nothing was for us up to its end.

        Raises:
            NotSought: a partition was assigned and not yet sought.
            PositionOutsideLog: the offset sought is gone from the log.
            LogRefused: this user may not read the topic, or not as a member of the group.
            InvalidSettings: the session is shorter or longer than the broker lets members of a group have.
            MembershipRefused: as a static member; the client joins no more.
        """
        try:
            fetched = await self._started.getmany(timeout_ms=_READ_WAIT_MS, max_records=self._kafka.run_records_max)
        except ConsumerStoppedError:  # between two reads: where one waits, the client itself returns nothing
            return []
        except NoOffsetForPartitionError as error:
            raise NotSought from error
        except DENIALS as error:
            raise denied(self._kafka, error) from error
        except InvalidSessionTimeoutError as error:
            raise InvalidSettings(await self._unfit_session()) from error
        except NO_MEMBER as error:
            raise LogRefused(
                f"Kafka at {self._kafka.brokers} lets no worker into group {self._kafka.group!r} ({error!r}): name a "
                "group of gmv's own by kafka.group"
            ) from error
        except OffsetOutOfRangeError as error:
            raise PositionOutsideLog(
                f"{self._kafka.topic}: the ledger's position is gone from the log ({error}): records were deleted, by "
                "retention or by hand, before they were credited. Restore them; gmv does not skip paid work"
            ) from error
        except KafkaError as error:
            if self._kafka.instance_id is not None and UnknownError.__name__ in str(error):
                raise MembershipRefused from error
            raise
        return await self._runs({each: messages for each, messages in fetched.items() if messages})

    async def _unfit_session(self) -> str:
        async with self._asking_admin:
            limits = await asyncio.to_thread(self._admin.session_limits)
        return unfit_session(self._kafka, limits)

    async def _runs(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]) -> list[Run]:
        """The client goes past aborted records and marks of transactions without a word: its position shows it."""
        runs = []
        for each in fetched.keys() | self._read_to.keys():
            records = tuple(_record(message) for message in fetched.get(each, ()))
            end = max(await self._position(each), records[-1].offset + 1 if records else 0)
            if records or end > self._read_to.get(each, end):
                runs.append(Run(_partition(each), records, end))
                self._read_to[each] = end
        return runs

    async def _position(self, each: TopicPartition) -> int:
        """Return where the client reads next; 0 of a partition that was taken away, or not sought since it was given.

        Awaits nothing where the position is known: no seek can come between a fetch and the question.
        """
        try:
            async with asyncio.timeout(_READ_WAIT_MS / 1_000):
                return int(await self._started.position(each))
        except (IllegalStateError, TimeoutError):
            self._read_to.pop(each, None)
            return 0

    @override
    async def commit_for_lag_tools(self, offsets: Mapping[Partition, int]) -> None:
        """Commit how far we are to the group, for lag tools and autoscalers only.

        Raises:
            LogUnavailable: it was refused, or nobody heard it; nothing is lost.
        """
        committed = {_topic_partition(partition): offset for partition, offset in offsets.items()}
        try:
            await asyncio.wait_for(self._started.commit(committed), _LEAVE_SECONDS_MAX)
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(f"{self._kafka.group}: the group's offsets were not committed ({error!r})") from error

    @property
    def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the log is not started")
        return self._consumer


def _partition(each: TopicPartition) -> Partition:
    return Partition(each.topic, each.partition)


def _topic_partition(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


def _record(message: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(
        offset=message.offset,
        value=message.value,
        key=message.key,
        headers=tuple(message.headers),
        timestamp_ms=message.timestamp,
    )
