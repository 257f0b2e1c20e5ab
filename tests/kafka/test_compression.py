"""Records as producers of any language compress them: Go's and Java's take snappy, lz4 or zstd by themselves."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from tests.kafka.crew import Crew, Sent, new_crew
from tests.services.kafka import KafkaBroker
from tests.stream.world import event_record

CODECS = ("gzip", "snappy", "lz4", "zstd")
EVENTS_PER_CODEC = 50


@pytest.fixture
def crew(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    with new_crew(kafka, redis_url, tmp_path, partitions=1, compression_type="zstd") as crew:
        crew.initialise()
        yield crew


def test_every_codec_is_read_by_the_worker_and_by_the_reader_of_receipts(crew: Crew) -> None:
    for codec in CODECS:
        records = [event_record(number, f"{codec}-{number}", ["ada", codec]) for number in range(EVENTS_PER_CODEC)]
        producer = KafkaProducer(bootstrap_servers=crew.kafka.brokers, compression_type=codec, linger_ms=100)
        for record in records:
            producer.send(crew.kafka.topic, record.value, partition=0)
        producer.flush()
        producer.close()
        crew.sent += [Sent(0, record) for record in records]
    worker = crew.start()
    crew.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert crew.totals() == crew.oracle()
    assert crew.explanation().receipts == len(CODECS) * EVENTS_PER_CODEC
