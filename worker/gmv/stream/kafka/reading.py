"""A topic read once, from its beginning to where it ends now. By kafka-python."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from gmv.errors import LogUnavailable
from gmv.settings import KafkaSettings
from gmv.stream.kafka.access import connection
from gmv.stream.kafka.admin import TopicAdmin, refusing
from gmv.stream.records import Bounds

_POLL_MILLISECONDS: Final = 500


def records_in_topic(kafka: KafkaSettings, topic: str) -> Iterator[ConsumerRecord]:
    """Yield all records, partition by partition, in constant memory.

    Args:
        kafka: whose brokers hold the topic, and how long silent ones are waited for.
        topic: to be read.

    Raises:
        LogUnavailable: no broker answers, or there is no such topic.
        LogRefused: this user may not read it.
    """
    named = kafka.model_copy(update={"topic": topic})
    with TopicAdmin(named) as admin:
        bounds = admin.bounds()
    with refusing(named):
        consumer = KafkaConsumer(
            **connection(kafka),
            bootstrap_timeout_ms=int(kafka.retry_seconds * 1_000),
            isolation_level=kafka.isolation,
            enable_auto_commit=False,
        )
        with closing(consumer):
            for number, held in bounds.items():
                yield from _between(consumer, TopicPartition(topic, number), held, kafka)


def _between(
    consumer: KafkaConsumer, partition: TopicPartition, held: Bounds, kafka: KafkaSettings
) -> Iterator[ConsumerRecord]:
    consumer.assign([partition])
    consumer.seek(partition, held.start)
    heard = time.monotonic()
    while consumer.position(partition) < held.end:
        for records in consumer.poll(timeout_ms=_POLL_MILLISECONDS).values():
            yield from (record for record in records if record.offset < held.end)
            heard = time.monotonic()
        if time.monotonic() - heard > kafka.retry_seconds:
            raise LogUnavailable(
                f"Kafka at {kafka.brokers} has sent nothing of {partition.topic}[{partition.partition}] for "
                f"{kafka.retry_seconds:g} s; check that its brokers are up"
            )
