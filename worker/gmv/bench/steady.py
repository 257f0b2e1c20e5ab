"""Events at a steady pace: a file's, over and over, each time as new ones."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import orjson
from kafka import KafkaProducer

from gmv.bench.topics import PARTITIONS
from gmv.errors import EventsRefused, Poison
from gmv.events.cloudevents import decode
from gmv.events.encoding import KafkaMessage, binary_of_structured
from gmv.kafka.access import connection
from gmv.kafka.admin import refusing
from gmv.settings import KafkaSettings


def messages(lines: Sequence[bytes], started: int) -> Iterator[KafkaMessage]:
    """Yield the lines as records, without end. Each round has a source of its own, so that its events are new ones.

    Args:
        lines: events as JSON; what is none is sent as it is.
        started: tells these rounds from those of another start.
    """
    envelopes = [orjson.loads(line) if _is_event(line) else None for line in lines]
    for number in itertools.count():
        for line, envelope in zip(lines, envelopes, strict=True):
            if envelope is None:
                yield KafkaMessage(None, line, [])
            else:
                renamed = envelope | {"source": f"{envelope['source']}/{started}/{number}"}
                yield binary_of_structured(orjson.dumps(renamed))


def events_of(lines: Sequence[bytes]) -> list[bytes]:
    """Return the lines that are events, since what is dead-lettered has another way to go.

    Raises:
        EventsRefused: there are none.
    """
    events = [line for line in lines if _is_event(line)]
    if not events:
        raise EventsRefused("no line of the bench's file is an event; make some by `gmv demo`")
    return events


def _is_event(line: bytes) -> bool:
    try:
        decode(line)
    except Poison:
        return False
    return True


class SteadyProducer:
    """Sends records to the partitions of an empty topic in turn, and keeps when each was sent.

    Only what it sends is in the topic, each record once and in order, so the offset of a record is its number in
    its partition.
    """

    def __init__(self, kafka: KafkaSettings, endless: Iterator[KafkaMessage]) -> None:
        self._kafka = kafka
        self._endless = endless
        self._sent = 0
        with refusing(kafka):
            self._producer = KafkaProducer(**connection(kafka), acks="all", enable_idempotence=True)

    def send(self, count: int, per_second: float, is_stopping: Callable[[], bool]) -> list[list[float]]:
        """Send so many, and wait until they are acknowledged.

        Returns:
            By partition, in order: the time of `time.perf_counter` before each was given to the client, seconds.

        Raises:
            LogUnavailable: not all were acknowledged.
        """
        sent_at: list[list[float]] = [[] for _ in range(PARTITIONS)]
        begun = time.perf_counter()
        pending = []
        for number in range(count):
            message = next(self._endless)
            time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            if is_stopping():
                break
            partition = self._sent % PARTITIONS
            sent_at[partition].append(time.perf_counter())
            with refusing(self._kafka):
                pending.append(
                    self._producer.send(
                        self._kafka.topic,
                        key=message.key,
                        value=message.value,
                        headers=message.headers,
                        partition=partition,
                    )
                )
            self._sent += 1
        with refusing(self._kafka):
            for each in pending:
                each.get(timeout=self._kafka.retry_seconds)
        return sent_at

    def close(self) -> None:
        """Close the connections."""
        self._producer.close(timeout=1)
