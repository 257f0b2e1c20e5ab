"""Records as producers of any language compress them: Go's and Java's take snappy, lz4 or zstd by themselves."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.stream.world import event_record

CODECS = ("gzip", "snappy", "lz4", "zstd")
EVENTS_PER_CODEC = 50


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, partitions=1, compression_type="zstd") as world:
        world.initialise()
        yield world


def test_every_codec_is_read_by_the_worker_and_by_the_reader_of_receipts(world: World) -> None:
    for codec in CODECS:
        records = [event_record(number, f"{codec}-{number}", ["ada", codec]) for number in range(EVENTS_PER_CODEC)]
        producer = KafkaProducer(bootstrap_servers=world.kafka.brokers, compression_type=codec, linger_ms=100)
        for record in records:
            producer.send(world.kafka.topic, record.value, partition=0)
        producer.flush()
        producer.close()
        world.sent += [Sent(0, record) for record in records]
    worker = world.start()
    world.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert world.totals() == world.oracle()
    assert world.explanation().receipts == len(CODECS) * EVENTS_PER_CODEC
