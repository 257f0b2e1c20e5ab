"""Dead letters as Kafka records: how the outbox writes them, and how they are read back."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kafka.consumer.fetcher import ConsumerRecord

from gmv import __version__
from gmv.kafka import headers
from gmv.kafka.reading import records_in_topic
from gmv.settings import KafkaSettings
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record

Headers = Sequence[tuple[str, bytes | None]]


class DeadLetterMessage(NamedTuple):
    """What is sent to the topic of dead letters."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def dead_letter_message(partition: Partition, dead_letter: DeadLetter, group: str) -> DeadLetterMessage:
    """Return a dead letter: the record, and after its own headers where it came from and why it is here."""
    record = dead_letter.record
    added = {
        headers.DLQ_TOPIC: partition.topic,
        headers.DLQ_PARTITION: str(partition.number),
        headers.DLQ_OFFSET: str(record.offset),
        headers.DLQ_GROUP: group,
        headers.DLQ_MESSAGE: dead_letter.poison.detail,
        headers.DLQ_REASON: str(dead_letter.poison.reason),
        headers.DLQ_WORKER_VERSION: __version__,
        headers.DLQ_PAYLOAD_SHA256: hashlib.sha256(record.value or b"").hexdigest(),
    }
    key = record.key
    if key is None and record.value is None:
        key = b""
        added[headers.DLQ_NO_KEY] = "1"
    return DeadLetterMessage(
        key, record.value, [*record.headers, *((name, text.encode()) for name, text in added.items())]
    )


def dead_letters_in_topic(kafka: KafkaSettings) -> Iterator[FoundDeadLetter]:
    """Yield the dead letters of the settings' topic; other records in it are passed over.

    Raises:
        LogUnavailable: no broker answers, or there is no such topic.
        LogRefused: this user may not read it.
    """
    for record in records_in_topic(kafka, kafka.dead_letters_topic):
        if (dead_letter := found(record)) is not None:
            yield dead_letter


def found(record: ConsumerRecord) -> FoundDeadLetter | None:
    """Return the dead letter that `dead_letter_message` made the record of, None if it did not."""
    own, ours = _parted(record.headers)
    texts = {name: (value or b"").decode(errors="replace") for name, value in ours}
    try:
        partition = Partition(texts[headers.DLQ_TOPIC], int(texts[headers.DLQ_PARTITION]))
        offset, reason, detail = (
            int(texts[headers.DLQ_OFFSET]),
            texts[headers.DLQ_REASON],
            texts[headers.DLQ_MESSAGE],
        )
    except (KeyError, ValueError):
        return None
    key = None if headers.DLQ_NO_KEY in texts else record.key
    return FoundDeadLetter(partition, Record(offset, record.value, key, own), reason, detail, record.timestamp)


def _parted(all_of: Headers) -> tuple[tuple[tuple[str, bytes | None], ...], Headers]:
    """Return the record's own headers, and ours."""
    begin = max((place for place, (name, _) in enumerate(all_of) if name == headers.DLQ_TOPIC), default=len(all_of))
    return tuple(all_of[:begin]), all_of[begin:]
