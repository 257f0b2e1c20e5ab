"""Reads whole topics with a client of the tests' own, as a reader of committed records does."""

from collections.abc import Iterator

from kafka import KafkaConsumer, TopicPartition

from tests.faults.oracle import Logged


def read_topic(brokers: str, topic: str) -> Iterator[Logged]:
    """Yield all records, partition after partition; none of aborted transactions."""
    consumer = KafkaConsumer(
        bootstrap_servers=brokers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        for number in sorted(consumer.partitions_for_topic(topic) or ()):
            partition = TopicPartition(topic, number)
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            end = consumer.end_offsets([partition])[partition]
            while consumer.position(partition) < end:
                for fetched in consumer.poll(timeout_ms=500).values():
                    for each in fetched:
                        yield Logged(number, each.offset, each.key, each.value, tuple(each.headers))
    finally:
        consumer.close()


def last_offsets(brokers: str, topic: str) -> dict[int, int]:
    """Return per partition the offset after its last record that a reader finds, which control records may follow."""
    return {number: offset + 1 for number, offset, *_ in read_topic(brokers, topic)}
