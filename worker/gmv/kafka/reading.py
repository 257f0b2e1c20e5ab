"""A topic read once, from its beginning to where it ends now. By kafka-python."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from gmv.errors import LogUnavailable
from gmv.kafka.access import connection
from gmv.kafka.admin import TopicAdmin, refusing
from gmv.settings import KafkaSettings
from gmv.stream.records import Bounds

_POLL_MILLISECONDS: Final = 500
_FETCH_RECORDS_MAX: Final = 100_000  # all of a fetch, which is bounded in bytes


def records_in_topic(kafka: KafkaSettings, topic: str) -> Iterator[ConsumerRecord]:
    """Yield all records in constant memory, those of all partitions together in order of time.

    What was sent together comes together, from all partitions it went to: so a reader of receipts has few batches
    open at a time. Order within a partition is the partition's.

    Args:
        kafka: whose brokers hold the topic, and how long silent ones are waited for.
        topic: to be read.

    Raises:
        LogUnavailable: no broker answers, or there is no such topic.
        LogRefused: this user may not read it.
    """
    named = kafka.model_copy(update={"topic": topic})
    with closing(TopicAdmin(named)) as admin:
        bounds = admin.bounds()
    with refusing(named):
        consumer = KafkaConsumer(
            **connection(kafka),
            bootstrap_timeout_ms=int(kafka.retry_seconds * 1_000),
            isolation_level=kafka.isolation,
            enable_auto_commit=False,
        )
        with closing(consumer):
            held = {TopicPartition(topic, number): each for number, each in bounds.items() if each.start < each.end}
            yield from _in_order_of_time(consumer, held, kafka)


def _in_order_of_time(
    consumer: KafkaConsumer, held: Mapping[TopicPartition, Bounds], kafka: KafkaSettings
) -> Iterator[ConsumerRecord]:
    ahead = {partition: deque[ConsumerRecord]() for partition in held}
    read_to = {partition: bounds.start for partition, bounds in held.items()}
    while ahead:
        _fill(consumer, ahead, read_to, held, kafka)
        ahead = {partition: records for partition, records in ahead.items() if records}
        while ahead and all(ahead.values()):
            yield min(ahead.values(), key=lambda records: records[0].timestamp).popleft()


def _fill(
    consumer: KafkaConsumer,
    ahead: Mapping[TopicPartition, deque[ConsumerRecord]],
    read_to: dict[TopicPartition, int],
    held: Mapping[TopicPartition, Bounds],
    kafka: KafkaSettings,
) -> None:
    """Read until a record of each partition is at hand, or it is read to its end.

    Only partitions of which nothing is at hand are assigned, so that no more than a fetch of each is in memory. A
    partition that is paused instead holds up others (kafka-python 3.0).
    """
    heard = time.monotonic()
    while empty := [each for each, records in ahead.items() if not records and read_to[each] < held[each].end]:
        consumer.assign(empty)
        for partition in empty:
            consumer.seek(partition, read_to[partition])
        while not (found := consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=_FETCH_RECORDS_MAX)):
            if any(consumer.position(each) != read_to[each] for each in empty):
                break  # nothing but marks of transactions
            if time.monotonic() - heard > kafka.retry_seconds:
                raise LogUnavailable(
                    f"Kafka at {kafka.brokers} has sent nothing of {empty[0].topic}[{empty[0].partition}] for "
                    f"{kafka.retry_seconds:g} s; check that its brokers are up"
                )
        for partition, records in found.items():
            ahead[partition].extend(record for record in records if record.offset < held[partition].end)
        read_to |= {partition: consumer.position(partition) for partition in empty}
        heard = time.monotonic()
