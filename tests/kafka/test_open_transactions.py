"""A transaction that nobody ends: what waits behind it is told by metrics and doctor, and credited once it is ended."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition
from kafka.admin import AbortTransactionSpec

from gmv.doctor.examination import Area, Examination
from gmv.kafka.admin import describe_topic
from gmv.settings import Settings
from gmv.stream.records import Bounds
from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

BEFORE, OWN, BEHIND = 7, 3, 200


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, partitions=2) as world:
        world.initialise()
        yield world


async def leave_open(world: World, number: int, partition: int, records: int) -> None:
    """Send records in a transaction, and go without ending it."""
    brokers, topic = world.kafka.brokers, world.kafka.topic
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers, transactional_id=f"{topic}-{number}", transaction_timeout_ms=900_000
    )
    await producer.start()
    await producer.begin_transaction()
    for count in range(records):
        record = event_record(0, f"open-{number}-{count}")
        await producer.send_and_wait(topic, record.value, partition=partition)
    await producer.stop()


def abort(kafka: KafkaBroker, partition: TopicPartition, start_offset: int) -> None:
    """What `kafka-transactions.sh abort --start-offset` does."""
    with kafka.admin() as admin:
        (producer,) = (
            each
            for each in admin.describe_producers([partition])[partition].active_producers
            if each.current_transaction_start_offset == start_offset
        )
        admin.abort_transaction(AbortTransactionSpec(partition, producer.producer_id, producer.producer_epoch))


def events(names: range, partition: int = 0) -> list[Sent]:
    return [Sent(partition, event_record(0, f"e{name}", ["ada", "ben"])) for name in names]


def doctor(world: World) -> dict[str, str]:
    settings = Settings(kafka=world.kafka, ledger=world.ledger)
    return {each.check: f"{each.state}: {each.found}" for each in Examination(settings).of([Area.KAFKA])}


def test_what_waits_behind_it_is_told_until_it_is_ended(world: World, kafka: KafkaBroker) -> None:
    topic = world.kafka.topic
    worker = world.start()

    def lags() -> tuple[float | None, float | None]:
        labels = {"topic": topic, "partition": "0"}
        return (
            worker.metric("gmv_lag_records", **labels),
            worker.metric("gmv_lag_high_watermark_records", **labels),
        )

    world.produce(events(range(BEFORE)))
    wait_for(lambda: world.positions()[0] == BEFORE, 60, "what came before it")
    assert doctor(world)["open transactions"] == "ok: none keeps records back"
    asyncio.run(leave_open(world, 0, 0, OWN))
    world.produce(events(range(BEFORE, BEFORE + BEHIND)))
    world.produce(events(range(900, 910), partition=1))  # where there is none, crediting goes on
    wait_for(lambda: lags() == (0, OWN + BEHIND), 30, f"the lags, now {lags()}")
    assert worker.page("/livez")[0] == 200  # to start it again would not help
    wait_for(lambda: world.positions() == {0: BEFORE, 1: 10}, 30, "the other partition")
    assert describe_topic(world.kafka).bounds == {0: Bounds(0, BEFORE, OWN + BEHIND), 1: Bounds(0, 10)}
    found = doctor(world)
    assert (
        f"{topic}[0]: {OWN + BEHIND} records wait behind an open transaction since offset {BEFORE},"
        in (found["open transactions"])
    )
    assert found["position headroom"] == "ok: 0 records wait to be credited, all within retention"

    abort(kafka, TopicPartition(topic, 0), BEFORE)
    wait_for(lambda: world.sums().credited == BEFORE + BEHIND + 10, 60, "what waited")
    wait_for(lambda: lags() == (0, 0), 30, f"the lags, now {lags()}")
    assert doctor(world)["open transactions"] == "ok: none keeps records back"
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert world.totals() == world.oracle()


def test_the_first_of_several_is_named(world: World, kafka: KafkaBroker) -> None:
    topic = world.kafka.topic
    asyncio.run(leave_open(world, 0, 1, 1))
    asyncio.run(leave_open(world, 1, 1, 2))
    found = doctor(world)["open transactions"]
    assert f"{topic}[1]: 3 records wait behind an open transaction since offset 0," in found
    abort(kafka, TopicPartition(topic, 1), 0)
    wait_for(lambda: "[1]: 3 records wait" in doctor(world)["open transactions"], 30, "the second, and a mark")
    assert "since offset 1," in doctor(world)["open transactions"]
    assert describe_topic(world.kafka).bounds[1] == Bounds(0, 1, 3)
    uncommitted = world.kafka.model_copy(update={"isolation": "read_uncommitted"})
    assert describe_topic(uncommitted).bounds[1] == Bounds(0, 4)
