"""The pump on a real broker, a real Redis and real processes; computing is trivial, so that only the protocol shows."""

import asyncio
import hashlib
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from gmv.errors import LedgerMissing, LogUnavailable, PositionOutsideLog, TooManyDeadLetters
from gmv.kafka import headers
from gmv.kafka.dead_letters import dead_letters_in_topic
from gmv.stream.records import Record
from tests.conftest import TopicFactory
from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

OWNERS = ("ada", "ben", "cy", "dee", "eve")
PARTITIONS = 4


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
        yield world


def events(seed: int, count: int, first: int = 0) -> list[Sent]:
    """Make events of one to three owners; one in ten is sent twice, to any partition."""
    chance = random.Random(seed + first)
    made: list[Sent] = []
    for number in range(first, first + count):
        record = event_record(number, f"event-{number}", chance.sample(OWNERS, chance.randint(1, 3)))
        times = 2 if chance.random() < 0.1 else 1
        made += [Sent(chance.randrange(PARTITIONS), record) for _ in range(times)]
    return made


def assert_exact(world: World) -> None:
    assert world.totals() == world.oracle()
    explanation = world.explanation()
    assert explanation.micros == sum(world.oracle().values())
    assert explanation.receipts == world.sums().credited


class TestMembership:
    def test_one_joins_late_and_one_leaves(self, world: World, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 800))
        first = world.start(seconds_per_run=0.1, instance_id="a")
        world.wait_until_done(100)
        second = world.start(seconds_per_run=0.1, instance_id="b")
        world.wait_until_done(400)
        assert first.end(signal.SIGTERM) == 0, first.said
        world.produce(events(seed, 400, first=800))
        world.wait_until_done()
        assert second.end(signal.SIGTERM) == 0, second.said
        assert_exact(world)

    def test_a_killed_worker_leaves_no_file_behind(self, world: World, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 20))
        worker = world.start()
        world.wait_until_done()
        worker.end(signal.SIGKILL)
        assert list(world.temporary.iterdir()) == []

    def test_a_killed_workers_partitions_go_on(self, world: World, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 800))
        first, second = world.start(0.1), world.start(0.1)
        world.wait_until_done(200)
        first.end(signal.SIGKILL)
        world.wait_until_done()
        assert second.end(signal.SIGTERM) == 0, second.said
        assert_exact(world)

    def test_a_frozen_worker_that_wakes_up_late_credits_nothing_twice(self, world: World, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 600))
        frozen = world.start(0.2)
        world.wait_until_done(100)
        frozen.send(signal.SIGSTOP)
        heir = world.start(0.0)
        world.wait_until_done()
        frozen.send(signal.SIGCONT)
        world.produce(events(seed, 200, first=600))
        world.wait_until_done()
        assert [worker.end(signal.SIGTERM) for worker in (frozen, heir)] == [0, 0], frozen.said + heir.said
        assert_exact(world)

    def test_a_stop_finishes_the_run_in_flight(self, world: World, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 400))
        worker = world.start(seconds_per_run=1.0)
        world.wait_until_done(1)
        assert worker.end(signal.SIGTERM) == 0, worker.said
        credited = world.sums()
        assert credited.credited + credited.duplicates == sum(world.positions().values())
        assert world.explanation().orphans == 0

    def test_the_groups_offsets_follow_for_lag_tools(self, world: World, kafka: KafkaBroker, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 100))
        worker = world.start()
        world.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        with kafka.admin() as admin:
            groups = admin.list_group_offsets(world.kafka.group)
        offsets = {place.partition: offset.offset for place, offset in groups[world.kafka.group].items()}
        assert offsets == world.positions()


class TestDeadLetters:
    POISON = (
        Record(0, b"{broken", b"key", (("h", b"1"), ("h", b"2"), ("ce_id", b"\xff"))),
        Record(0, b"", None, ()),
        Record(0, None, b"tombstone", (("x", b""),)),
        event_record(0, "no-owners", owners=()),
    )

    def test_are_byte_identical_and_say_where_they_were(self, world: World, seed: int) -> None:
        world.initialise()
        good = events(seed, 100)
        world.produce([*good[:50], *(Sent(1, record) for record in self.POISON), *good[50:]])
        worker = world.start()
        world.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        dead_letters = list(world.read(world.kafka.dead_letters_topic))
        assert [(dead_letter.value, dead_letter.key) for dead_letter in dead_letters] == [
            (each.value, each.key) for each in self.POISON
        ]
        for dead_letter, record in zip(dead_letters, self.POISON, strict=True):
            assert tuple(dead_letter.headers[: len(record.headers)]) == record.headers
            added = dict(dead_letter.headers[len(record.headers) :])
            assert added[headers.DLQ_TOPIC] == world.kafka.topic.encode()
            assert added[headers.DLQ_PARTITION] == b"1"
            assert added[headers.DLQ_PAYLOAD_SHA256] == hashlib.sha256(record.value or b"").hexdigest().encode()
            place = int(added[headers.DLQ_OFFSET])
            (original,) = [
                each for each in world.read(world.kafka.topic) if (each.partition, each.offset) == (1, place)
            ]
            assert (original.value, original.key) == (record.value, record.key)
        assert world.sums().dead_letters == len(self.POISON)
        assert_exact(world)

    def test_a_record_with_nothing_in_it_is_one_of_them(self, world: World) -> None:
        """Producers refuse such a record, but for a batch that is put together by hand; a topic may hold it."""
        world.initialise()
        asyncio.run(send_nothing(world))
        worker = world.start()
        world.wait_until_done(1)
        assert worker.end(signal.SIGTERM) == 0, worker.said
        (dead_letter,) = dead_letters_in_topic(world.kafka)
        assert (dead_letter.record.key, dead_letter.record.value, dead_letter.record.headers) == (
            None,
            None,
            (("h", None),),
        )

    def test_too_many_in_a_row_stop_the_worker(self, world: World) -> None:
        world.initialise()
        world.produce([Sent(0, self.POISON[0])] * 300)
        worker = world.start()
        assert worker.end() == TooManyDeadLetters.exit_code, worker.said
        assert world.kafka.topic in worker.said
        assert sum(world.positions().values()) < 300


class TestRefusals:
    def test_a_ledger_that_was_not_initialised(self, world: World, seed: int) -> None:
        world.produce(events(seed, 10))
        worker = world.start()
        assert worker.end() == LedgerMissing.exit_code, worker.said
        assert "gmv ledger init" in worker.said

    def test_partitions_that_the_ledger_does_not_know(self, world: World, kafka: KafkaBroker, seed: int) -> None:
        world.initialise()
        with kafka.admin() as admin:
            admin.create_partitions({world.kafka.topic: PARTITIONS + 1})
        world.produce(events(seed, 10))
        worker = world.start()
        assert worker.end() == LedgerMissing.exit_code, worker.said
        assert "gmv ledger init" in worker.said
        world.initialise()
        second = world.start()
        world.wait_until_done()
        assert second.end(signal.SIGTERM) == 0
        assert_exact(world)

    def test_a_topic_that_is_not_there(self, kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> None:
        with World(kafka, "no-such-topic", redis_url, tmp_path) as world:
            worker = world.start()
            assert worker.end() == LogUnavailable.exit_code, worker.said
            assert "no-such-topic" in worker.said

    def test_a_topic_recreated_while_no_worker_runs(self, world: World, kafka: KafkaBroker, seed: int) -> None:
        world.initialise()
        recreate(kafka, world.kafka.topic)
        world.produce(events(seed, 50))
        worker = world.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert not world.totals()

    def test_a_topic_recreated_under_a_running_worker(self, world: World, kafka: KafkaBroker, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 50))
        worker = world.start()
        world.wait_until_done()
        before = world.totals()
        worker.send(signal.SIGSTOP)
        recreate(kafka, world.kafka.topic)
        world.produce(events(seed, 100, first=50))
        worker.send(signal.SIGCONT)
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert world.totals() == before

    def test_records_deleted_before_they_were_credited(self, world: World, kafka: KafkaBroker, seed: int) -> None:
        world.initialise()
        world.produce(events(seed, 100))
        with kafka.admin() as admin:
            admin.delete_records({TopicPartition(world.kafka.topic, 2): 5})
        worker = world.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert f"{world.kafka.topic}[2]" in worker.said
        assert not world.totals()

    def test_a_position_beyond_the_logs_end(self, world: World, seed: int) -> None:
        world.initialise(ahead=1_000)
        world.produce(events(seed, 40))
        worker = world.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert f"{world.kafka.topic}[0]" in worker.said
        assert not world.totals()

    @pytest.mark.parametrize("missing", ["attributions", "dlq"])
    def test_no_topic_for_receipts_or_dead_letters(
        self, world: World, kafka: KafkaBroker, missing: str, seed: int
    ) -> None:
        delete(kafka, f"{world.kafka.topic}.{missing}")
        world.initialise()
        world.produce(events(seed, 20))
        worker = world.start()
        assert worker.end() == LogUnavailable.exit_code, worker.said
        assert f"{world.kafka.topic}.{missing}" in worker.said
        assert not world.totals()

    def test_receipts_that_the_broker_refuses(self, kafka: KafkaBroker, topic: TopicFactory, world: World) -> None:
        with kafka.admin() as admin:
            receipts = ConfigResource(
                ConfigResourceType.TOPIC, world.kafka.receipts_topic, {"max.message.bytes": "200"}
            )
            admin.alter_configs([receipts])
        world.initialise()
        world.produce(events(1, 20))
        worker = world.start()
        assert worker.end() == LogUnavailable.exit_code, worker.said
        assert world.kafka.receipts_topic in worker.said
        assert not world.totals()
        assert sum(world.positions().values()) == 0


async def send_nothing(world: World) -> None:
    async with AIOKafkaProducer(bootstrap_servers=world.kafka.brokers) as producer:
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=None, headers=[("h", None)])
        await (await producer.send_batch(batch, world.kafka.topic, partition=0))


def recreate(kafka: KafkaBroker, topic: str) -> None:
    delete(kafka, topic)
    kafka.create_topic(topic, PARTITIONS)


def delete(kafka: KafkaBroker, topic: str) -> None:
    with kafka.admin() as admin:
        admin.delete_topics([topic])
    wait_for(lambda: not exists(kafka, topic), 30, f"{topic} deleted")


def exists(kafka: KafkaBroker, topic: str) -> bool:
    with kafka.admin() as admin:
        return topic in admin.list_topics()
