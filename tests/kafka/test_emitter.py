from collections import Counter
from contextlib import closing

import pytest
from kafka import KafkaConsumer, TopicPartition

from gmv.errors import EventsRefused, LogUnavailable
from gmv.events.encoding import KafkaMessage
from gmv.kafka.emitter import Emitter
from gmv.settings import KafkaSettings
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import free_port


def settings(kafka: KafkaBroker, topic: str) -> KafkaSettings:
    return KafkaSettings(brokers=kafka.address, topic=topic, retry_seconds=patience(10))


def records(kafka: KafkaBroker, topic: str, partitions: int) -> list[tuple[int, KafkaMessage]]:
    """All that is in the topic: partition and record, in order of partition and offset."""
    with closing(KafkaConsumer(bootstrap_servers=kafka.address, enable_auto_commit=False)) as consumer:
        owned = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(owned)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(owned)
        found = []
        while any(consumer.position(each) < ends[each] for each in owned):
            for batch in consumer.poll(timeout_ms=1_000).values():
                found += [(each.partition, each.offset, each) for each in batch]
    return [
        (partition, KafkaMessage(each.key, each.value, list(each.headers)))
        for partition, _, each in sorted(found, key=lambda place_and_record: place_and_record[:2])
    ]


def test_every_record_is_in_the_topic_byte_for_byte_and_counted(kafka: KafkaBroker, topic: TopicFactory) -> None:
    name = topic(3)
    sent = [KafkaMessage(str(i).encode(), b"value %d" % i, [("h", b"1"), ("h", b"\xff")]) for i in range(200)]
    sent.append(KafkaMessage(None, b"{broken", []))

    with closing(Emitter(settings(kafka, name))) as emitter:
        for message in sent:
            emitter.send("x", message)
        counts = emitter.finish()

    found = records(kafka, name, 3)
    assert sorted(message.value for _, message in found) == sorted(message.value for message in sent)
    assert {message.value: message for _, message in found} == {message.value: message for message in sent}
    assert counts == {0: 0, 1: 0, 2: 0} | Counter(partition for partition, _ in found)
    numbers = [[int(m.key) for p, m in found if p == partition and m.key] for partition in range(3)]
    assert all(each == sorted(each) for each in numbers)


def test_an_empty_run_names_every_partition(kafka: KafkaBroker, topic: TopicFactory) -> None:
    with closing(Emitter(settings(kafka, topic(2)))) as emitter:
        assert emitter.finish() == {0: 0, 1: 0}


def test_a_record_larger_than_the_topic_takes_is_named(kafka: KafkaBroker, topic: TopicFactory) -> None:
    name = topic(1, max_message_bytes="5000")

    with closing(Emitter(settings(kafka, name))) as emitter:
        emitter.send("small.png", KafkaMessage(b"a", bytes(100), []))
        emitter.finish()
        emitter.send("large.png", KafkaMessage(b"b", bytes(6_000), []))
        with pytest.raises(EventsRefused, match=r"large\.png: its record of 6,000 bytes .*max\.message\.bytes"):
            emitter.finish()

    assert [message.key for _, message in records(kafka, name, 1)] == [b"a"]


def test_a_topic_that_is_not_there_is_not_made(kafka: KafkaBroker) -> None:
    with pytest.raises(LogUnavailable, match="'nowhere' does not exist"):
        Emitter(settings(kafka, "nowhere"))


def test_brokers_that_are_not_there_are_named() -> None:
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(LogUnavailable, match=f"{address} does not answer"):
        Emitter(KafkaSettings(brokers=address, topic="x", retry_seconds=1))
