"""Dead letters back into the topic of events. By aiokafka: kafka-python sends no header without a value."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from typing_extensions import override

from gmv.errors import EventsRefused, LogUnavailable
from gmv.kafka.access import DENIALS, connection, denied
from gmv.operations.redriving import Destination
from gmv.settings import KafkaSettings
from gmv.stream.dead_letters import REPLAYED_FROM, FoundDeadLetter

T = TypeVar("T")

RECORD_BYTES_MAX: Final = 128 * 2**20
"""Not what decides: the topic's own `max.message.bytes` does."""

_UNDERWAY_BYTES_MAX: Final = 32 * 2**20
_UNDERWAY_RECORDS_MAX: Final = 1_000


class TopicOfEvents(Destination):
    """A `Destination`: each record goes to the partition it came from, which is where its event's id is known."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._producer = AIOKafkaProducer(
            **connection(kafka),
            acks="all",
            enable_idempotence=True,
            max_request_size=RECORD_BYTES_MAX,
            request_timeout_ms=int(kafka.retry_seconds * 1_000),
        )
        self._underway: deque[tuple[str, int, asyncio.Future[Any]]] = deque()
        self._underway_bytes = 0

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            LogUnavailable: no broker answers.
            LogRefused: this user may not.
        """
        try:
            await self._refusing(self._producer.start())
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    @override
    async def send(self, dead_letter: FoundDeadLetter) -> None:
        """Send the record with its own headers, and one that says where it was."""
        record = dead_letter.record
        size = len(record.value or b"")
        while self._underway and (
            self._underway_bytes + size > _UNDERWAY_BYTES_MAX or len(self._underway) >= _UNDERWAY_RECORDS_MAX
        ):
            await self._settle()
        acknowledged = await self._refusing(
            self._producer.send(
                self._kafka.topic,
                value=record.value,
                key=record.key,
                partition=dead_letter.partition.number,
                headers=[*record.headers, (REPLAYED_FROM, dead_letter.place.encode())],
            )
        )
        self._underway.append((dead_letter.place, size, acknowledged))
        self._underway_bytes += size

    @override
    async def finish(self) -> None:
        """Wait until all is acknowledged by all in-sync replicas.

        Raises:
            LogUnavailable: it is not; sending all of it again is safe.
            EventsRefused: a record is larger than the topic takes, with the header that was added.
        """
        while self._underway:
            await self._settle()

    async def _settle(self) -> None:
        """Wait for the oldest record underway."""
        place, size, acknowledged = self._underway.popleft()
        self._underway_bytes -= size
        try:
            await self._refusing(asyncio.wait_for(acknowledged, self._kafka.retry_seconds))
        except MessageSizeTooLargeError as error:
            raise EventsRefused(
                f"the record of {place} is larger, with one more header, than topic {self._kafka.topic!r} takes; raise "
                "the topic's max.message.bytes and run again"
            ) from error

    async def _refusing(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except DENIALS as error:
            raise denied(self._kafka, error) from error
        except MessageSizeTooLargeError:
            raise
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(
                f"Kafka at {self._kafka.brokers} does not take records for {self._kafka.topic!r} ({error!r}); what was "
                "not acknowledged may or may not be there, and can be sent again"
            ) from error
