"""A topic of a bench's own, filled with events before anything is timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient, KafkaProducer

from gmv.kafka.access import connection
from gmv.settings import KafkaSettings

PARTITIONS = 4


@contextmanager
def filled_topic(events: Path, kafka: KafkaSettings) -> Iterator[None]:
    """Create the topics that the settings name, put each line of the file into the first, and remove them after."""
    with empty_topic(kafka):
        fill(events, kafka)
        yield


@contextmanager
def empty_topic(kafka: KafkaSettings) -> Iterator[None]:
    """Create the topics that the settings name, and remove them after."""
    admin = KafkaAdminClient(**connection(kafka))
    topics = {
        kafka.topic: {"num_partitions": PARTITIONS},
        kafka.receipts_topic: {"num_partitions": PARTITIONS},
        kafka.dead_letters_topic: {"num_partitions": 1},
    }
    admin.create_topics(topics, wait_for_metadata=True)
    try:
        yield
    finally:
        admin.delete_topics(list(topics))
        admin.close()


def fill(events: Path, kafka: KafkaSettings) -> int:
    """Put each line of the file into the topic, as many into each partition; return their number."""
    producer = KafkaProducer(**connection(kafka))
    number = -1
    with events.open("rb") as lines:
        for number, line in enumerate(lines):
            key = str(number).encode()
            producer.send(kafka.topic, key=key, value=line.rstrip(b"\r\n"), partition=number % PARTITIONS)
    producer.flush()
    producer.close()
    return number + 1
