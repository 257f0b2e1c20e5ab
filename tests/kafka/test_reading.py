"""A topic read once, to its end: all records, and those of all partitions in order of time."""

from contextlib import closing

import pytest
from kafka import KafkaProducer

from gmv.kafka import reading
from gmv.kafka.reading import records_in_topic
from gmv.operations.published import Published, published_batches
from gmv.settings import KafkaSettings
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import seal
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker

PARTITIONS = 3
BATCHES = 700
BATCH_RECEIPTS = 5


def test_what_was_sent_together_comes_together(
    kafka: KafkaBroker, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FETCH_RECORDS_MAX", 100)
    name = topic(PARTITIONS + 1)  # one stays empty
    with closing(KafkaProducer(bootstrap_servers=kafka.address, linger_ms=20)) as producer:
        for batch in range(BATCHES):
            corrections = [Correction(each, f"{batch}-{each}", "ada", None, 1, "") for each in range(BATCH_RECEIPTS)]
            _, lines = seal([each.receipt("corrections/c", 0, str(batch)) for each in corrections])
            for number, line in enumerate(lines):
                partition = (batch + number) % PARTITIONS
                producer.send(name, line, partition=partition, timestamp_ms=1_000_000 + batch)
    found = list(records_in_topic(KafkaSettings(brokers=kafka.address), name))
    assert len(found) == BATCHES * BATCH_RECEIPTS
    assert [record.timestamp for record in found] == sorted(record.timestamp for record in found)
    for partition in range(PARTITIONS):
        offsets = [record.offset for record in found if record.partition == partition]
        assert offsets == list(range(len(offsets)))
    published = (Published("", record.value) for record in found)
    assert all(batch.is_whole for batch in published_batches(published))
    assert list(records_in_topic(KafkaSettings(brokers=kafka.address), topic(1))) == []
