"""Sends records to the topic of events, each acknowledged by all in-sync replicas. By kafka-python."""

from collections import Counter, deque
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from gmv.errors import EventsRefused
from gmv.events.encoding import KafkaMessage
from gmv.kafka.access import connection
from gmv.kafka.admin import TopicAdmin, refusing
from gmv.settings import KafkaSettings

RECORD_BYTES_MAX: Final = 128 * 2**20
"""Not what decides: the topic's own `max.message.bytes` does."""

_UNDERWAY_BYTES_MAX: Final = 32 * 2**20
_UNDERWAY_RECORDS_MAX: Final = 10_000


class Emitter:
    """A producer for one topic. Blocking; every method raises `LogUnavailable` if brokers or the topic are missing.

    Idempotent: a record that the producer itself has to send twice is in the topic once, and in order.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        with closing(TopicAdmin(kafka)) as admin:
            self._sent = Counter(dict.fromkeys(admin.bounds(), 0))
        self._underway: deque[tuple[str, int, Any]] = deque()
        self._underway_bytes = 0
        wait_ms = int(kafka.retry_seconds * 1_000)
        with refusing(kafka):
            self._producer = KafkaProducer(
                **connection(kafka),
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                linger_ms=5,
                batch_size=2**18,
                max_request_size=RECORD_BYTES_MAX,
                max_block_ms=wait_ms,
                bootstrap_timeout_ms=wait_ms,
                request_timeout_ms=wait_ms,
                delivery_timeout_ms=wait_ms + 1_000,  # no shorter than request and linger together
            )

    def send(self, name: str, message: KafkaMessage) -> None:
        """Send a record; returns before it is acknowledged unless 32 MiB or 10,000 records are underway.

        Args:
            name: what the record was made from, for the sentence if it is refused.
            message: the record; one without a key goes to any partition.

        Raises:
            EventsRefused: this or an earlier record is larger than the topic takes.
        """
        while self._underway and (
            self._underway_bytes + len(message.value) > _UNDERWAY_BYTES_MAX
            or len(self._underway) >= _UNDERWAY_RECORDS_MAX
        ):
            self._settle()
        with refusing(self._kafka):
            future = self._producer.send(
                self._kafka.topic, key=message.key, value=message.value, headers=message.headers
            )
        self._underway.append((name, len(message.value), future))
        self._underway_bytes += len(message.value)

    def finish(self) -> Mapping[int, int]:
        """Wait until all is acknowledged, and return the number of records sent to each partition of the topic.

        Raises:
            EventsRefused: a record is larger than the topic takes.
        """
        while self._underway:
            self._settle()
        return dict(sorted(self._sent.items()))

    def close(self) -> None:
        """Close the connections; what is not acknowledged by now may or may not be in the topic."""
        self._producer.close(timeout=1)

    def _settle(self) -> None:
        """Wait for the oldest record underway."""
        name, size, future = self._underway.popleft()
        self._underway_bytes -= size
        with refusing(self._kafka):
            try:
                self._sent[future.get(timeout=self._kafka.retry_seconds + 2).partition] += 1
            except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
                raise EventsRefused(
                    f"{name}: its record of {size:,} bytes is larger than topic {self._kafka.topic!r} takes; raise the "
                    "topic's max.message.bytes, shrink the image, or send its URI"
                ) from error
