"""Records into and out of the topics of a broker that nobody else uses."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from tests.services.server import wait_for
from tools.mixed_events import MixedRecord

_POLL_MS: Final = 1_000
_SEND_SECONDS_MAX: Final = 120.0
_READ_SECONDS_MAX: Final = 120.0


def send_records(brokers: str, topic: str, records: Sequence[MixedRecord]) -> None:
    """Send records in order, each to its own partition, and return when all are acknowledged."""
    producer = KafkaProducer(bootstrap_servers=brokers, acks="all", enable_idempotence=True)
    try:
        pending = [
            producer.send(topic, record.value, record.key, record.headers, record.partition) for record in records
        ]
        for each in pending:
            each.get(_SEND_SECONDS_MAX)
    finally:
        producer.close()


def ends_of(brokers: str, topic: str) -> dict[int, int]:
    """Return the offset after the last record of each partition."""
    with _consumer(brokers, topic) as consumer:
        return _ends(consumer)


def read_topic(brokers: str, topic: str, begin: Mapping[int, int] | None = None) -> list[ConsumerRecord]:
    """Return the records in a topic up to its present end, in order of partition and offset.

    Args:
        brokers: to ask.
        topic: to read.
        begin: partition to offset; from the start of each where None.
    """
    begin = begin or {}
    records: list[ConsumerRecord] = []
    with _consumer(brokers, topic) as consumer:
        ends = _ends(consumer)
        for partition in consumer.assignment():
            consumer.seek(partition, begin.get(partition.partition, 0))

        def is_read() -> bool:
            for fetched in consumer.poll(_POLL_MS).values():
                records.extend(fetched)
            return all(consumer.position(each) >= ends[each.partition] for each in consumer.assignment())

        wait_for(is_read, _READ_SECONDS_MAX, f"all of {topic}")
    return sorted(records, key=lambda record: (record.partition, record.offset))


@contextmanager
def _consumer(brokers: str, topic: str) -> Iterator[KafkaConsumer]:
    """A consumer in no group, with all partitions assigned."""
    consumer = KafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False)
    try:
        consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
        yield consumer
    finally:
        consumer.close()


def _ends(consumer: KafkaConsumer) -> dict[int, int]:
    ends = consumer.end_offsets([*consumer.assignment()])
    return {partition.partition: offset for partition, offset in ends.items()}
