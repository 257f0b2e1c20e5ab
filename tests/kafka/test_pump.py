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
from tests.kafka.crew import Crew, Sent, new_crew
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

OWNERS = ("ada", "ben", "cy", "dee", "eve")
PARTITIONS = 4


@pytest.fixture
def crew(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    with new_crew(kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as crew:
        yield crew


def events(seed: int, count: int, first: int = 0) -> list[Sent]:
    """Make events of one to three owners; one in ten is sent twice, to whichever partition."""
    chance = random.Random(seed + first)
    made: list[Sent] = []
    for number in range(first, first + count):
        record = event_record(number, f"event-{number}", chance.sample(OWNERS, chance.randint(1, 3)))
        times = 2 if chance.random() < 0.1 else 1
        made += [Sent(chance.randrange(PARTITIONS), record) for _ in range(times)]
    return made


def assert_exact(crew: Crew) -> None:
    assert crew.totals() == crew.oracle()
    explanation = crew.explanation()
    assert explanation.micros == sum(crew.oracle().values())
    assert explanation.receipts == crew.sums().credited


class TestMembership:
    def test_one_joins_late_and_one_leaves(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 800))
        first = crew.start(seconds_per_run=0.1, instance_id="a")
        crew.wait_until_done(100)
        second = crew.start(seconds_per_run=0.1, instance_id="b")
        crew.wait_until_done(400)
        assert first.end(signal.SIGTERM) == 0, first.said
        crew.produce(events(seed, 400, first=800))
        crew.wait_until_done()
        assert second.end(signal.SIGTERM) == 0, second.said
        assert_exact(crew)

    def test_a_killed_worker_leaves_no_file_behind(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 20))
        worker = crew.start()
        crew.wait_until_done()
        worker.end(signal.SIGKILL)
        assert list(crew.temporary.iterdir()) == []

    def test_a_killed_workers_partitions_go_on(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 800))
        first, second = crew.start(0.1), crew.start(0.1)
        crew.wait_until_done(200)
        first.end(signal.SIGKILL)
        crew.wait_until_done()
        assert second.end(signal.SIGTERM) == 0, second.said
        assert_exact(crew)

    def test_a_frozen_worker_that_wakes_up_late_credits_nothing_twice(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 600))
        frozen = crew.start(0.2)
        crew.wait_until_done(100)
        frozen.send(signal.SIGSTOP)
        heir = crew.start(0.0)
        crew.wait_until_done()
        frozen.send(signal.SIGCONT)
        crew.produce(events(seed, 200, first=600))
        crew.wait_until_done()
        assert [worker.end(signal.SIGTERM) for worker in (frozen, heir)] == [0, 0], frozen.said + heir.said
        assert_exact(crew)

    def test_a_stop_finishes_the_run_in_flight(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 400))
        worker = crew.start(seconds_per_run=1.0)
        crew.wait_until_done(1)
        assert worker.end(signal.SIGTERM) == 0, worker.said
        credited = crew.sums()
        assert credited.credited + credited.duplicates == sum(crew.positions().values())
        assert crew.explanation().orphans == 0

    def test_the_groups_offsets_follow_for_lag_tools(self, crew: Crew, kafka: KafkaBroker, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 100))
        worker = crew.start()
        crew.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        with kafka.admin() as admin:
            told = admin.list_group_offsets(crew.kafka.group)
        offsets = {place.partition: offset.offset for place, offset in told[crew.kafka.group].items()}
        assert offsets == crew.positions()


class TestDeadLetters:
    POISON = (
        Record(0, b"{broken", b"key", (("h", b"1"), ("h", b"2"), ("ce_id", b"\xff"))),
        Record(0, b"", None, ()),
        Record(0, None, b"tombstone", (("x", b""),)),
        event_record(0, "no-owners", owners=()),
    )

    def test_are_byte_identical_and_say_where_they_were(self, crew: Crew, seed: int) -> None:
        crew.initialise()
        good = events(seed, 100)
        crew.produce([*good[:50], *(Sent(1, record) for record in self.POISON), *good[50:]])
        worker = crew.start()
        crew.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        letters = list(crew.read(crew.kafka.dead_letters_topic))
        assert [(letter.value, letter.key) for letter in letters] == [(each.value, each.key) for each in self.POISON]
        for letter, record in zip(letters, self.POISON, strict=True):
            assert tuple(letter.headers[: len(record.headers)]) == record.headers
            added = dict(letter.headers[len(record.headers) :])
            assert added[headers.DLQ_TOPIC] == crew.kafka.topic.encode()
            assert added[headers.DLQ_PARTITION] == b"1"
            assert added[headers.DLQ_PAYLOAD_SHA256] == hashlib.sha256(record.value or b"").hexdigest().encode()
            place = int(added[headers.DLQ_OFFSET])
            (original,) = [each for each in crew.read(crew.kafka.topic) if (each.partition, each.offset) == (1, place)]
            assert (original.value, original.key) == (record.value, record.key)
        assert crew.sums().dead_letters == len(self.POISON)
        assert_exact(crew)

    def test_a_record_with_nothing_in_it_is_one_of_them(self, crew: Crew) -> None:
        """Producers refuse such a record, but for a batch that is put together by hand; a topic may hold it."""
        crew.initialise()
        asyncio.run(send_nothing(crew))
        worker = crew.start()
        crew.wait_until_done(1)
        assert worker.end(signal.SIGTERM) == 0, worker.said
        (letter,) = dead_letters_in_topic(crew.kafka)
        assert (letter.record.key, letter.record.value, letter.record.headers) == (None, None, (("h", None),))

    def test_too_many_in_a_row_stop_the_worker(self, crew: Crew) -> None:
        crew.initialise()
        crew.produce([Sent(0, self.POISON[0])] * 300)
        worker = crew.start()
        assert worker.end() == TooManyDeadLetters.exit_code, worker.said
        assert crew.kafka.topic in worker.said
        assert sum(crew.positions().values()) < 300


class TestRefusals:
    def test_a_ledger_that_was_not_initialised(self, crew: Crew, seed: int) -> None:
        crew.produce(events(seed, 10))
        worker = crew.start()
        assert worker.end() == LedgerMissing.exit_code, worker.said
        assert "gmv ledger init" in worker.said

    def test_partitions_that_the_ledger_does_not_know(self, crew: Crew, kafka: KafkaBroker, seed: int) -> None:
        crew.initialise()
        with kafka.admin() as admin:
            admin.create_partitions({crew.kafka.topic: PARTITIONS + 1})
        crew.produce(events(seed, 10))
        worker = crew.start()
        assert worker.end() == LedgerMissing.exit_code, worker.said
        assert "gmv ledger init" in worker.said
        crew.initialise()
        second = crew.start()
        crew.wait_until_done()
        assert second.end(signal.SIGTERM) == 0
        assert_exact(crew)

    def test_a_topic_that_is_not_there(self, kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> None:
        with Crew(kafka, "no-such-topic", redis_url, tmp_path) as crew:
            worker = crew.start()
            assert worker.end() == LogUnavailable.exit_code, worker.said
            assert "no-such-topic" in worker.said

    def test_a_topic_made_anew_while_no_worker_runs(self, crew: Crew, kafka: KafkaBroker, seed: int) -> None:
        crew.initialise()
        recreate(kafka, crew.kafka.topic)
        crew.produce(events(seed, 50))
        worker = crew.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert not crew.totals()

    def test_a_topic_made_anew_under_a_running_worker(self, crew: Crew, kafka: KafkaBroker, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 50))
        worker = crew.start()
        crew.wait_until_done()
        before = crew.totals()
        worker.send(signal.SIGSTOP)
        recreate(kafka, crew.kafka.topic)
        crew.produce(events(seed, 100, first=50))
        worker.send(signal.SIGCONT)
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert crew.totals() == before

    def test_records_deleted_before_they_were_credited(self, crew: Crew, kafka: KafkaBroker, seed: int) -> None:
        crew.initialise()
        crew.produce(events(seed, 100))
        with kafka.admin() as admin:
            admin.delete_records({TopicPartition(crew.kafka.topic, 2): 5})
        worker = crew.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert f"{crew.kafka.topic}[2]" in worker.said
        assert not crew.totals()

    def test_a_position_beyond_the_logs_end(self, crew: Crew, seed: int) -> None:
        crew.initialise(ahead=1_000)
        crew.produce(events(seed, 40))
        worker = crew.start()
        assert worker.end() == PositionOutsideLog.exit_code, worker.said
        assert f"{crew.kafka.topic}[0]" in worker.said
        assert not crew.totals()

    @pytest.mark.parametrize("missing", ["attributions", "dlq"])
    def test_no_topic_for_receipts_or_dead_letters(
        self, crew: Crew, kafka: KafkaBroker, missing: str, seed: int
    ) -> None:
        delete(kafka, f"{crew.kafka.topic}.{missing}")
        crew.initialise()
        crew.produce(events(seed, 20))
        worker = crew.start()
        assert worker.end() == LogUnavailable.exit_code, worker.said
        assert f"{crew.kafka.topic}.{missing}" in worker.said
        assert not crew.totals()

    def test_receipts_that_the_broker_refuses(self, kafka: KafkaBroker, topic: TopicFactory, crew: Crew) -> None:
        with kafka.admin() as admin:
            receipts = ConfigResource(ConfigResourceType.TOPIC, crew.kafka.receipts_topic, {"max.message.bytes": "200"})
            admin.alter_configs([receipts])
        crew.initialise()
        crew.produce(events(1, 20))
        worker = crew.start()
        assert worker.end() == LogUnavailable.exit_code, worker.said
        assert crew.kafka.receipts_topic in worker.said
        assert not crew.totals()
        assert sum(crew.positions().values()) == 0


async def send_nothing(crew: Crew) -> None:
    async with AIOKafkaProducer(bootstrap_servers=crew.kafka.brokers) as producer:
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=None, headers=[("h", None)])
        await (await producer.send_batch(batch, crew.kafka.topic, partition=0))


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
