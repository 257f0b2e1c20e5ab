"""A log whose producer uses transactions: aborted records are not credited, and none of them keeps a position back."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition

from gmv.kafka.admin import describe_topic
from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

EVENTS = 30


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, partitions=1) as world:
        world.initialise()
        yield world


async def send_in_transactions(world: World) -> None:
    """Send one that is committed, and one that is aborted, which ends the log."""
    brokers, topic = world.kafka.brokers, world.kafka.topic
    async with AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=topic) as producer:
        for is_committed in (True, False):
            await producer.begin_transaction()
            for number in range(EVENTS):
                record = event_record(number, f"{is_committed}-{number}")
                await producer.send_and_wait(topic, record.value, partition=0)
                world.sent += [Sent(0, record)] * is_committed
            await (producer.commit_transaction() if is_committed else producer.abort_transaction())


def test_what_ends_in_an_aborted_transaction_is_read_to_its_end_and_retention_loses_nothing(world: World) -> None:
    worker = world.start()
    asyncio.run(send_in_transactions(world))
    end = 2 * EVENTS + 2  # a mark after each
    wait_for(lambda: world.positions() == {0: end}, 30, f"the position at {end}")
    assert world.totals() == world.oracle()
    assert worker.end(signal.SIGTERM) == 0, worker.said

    admin = KafkaAdminClient(bootstrap_servers=world.kafka.brokers)
    admin.delete_records({TopicPartition(world.kafka.topic, 0): end})
    admin.close()
    assert describe_topic(world.kafka).bounds[0].start == end
    late = world.start()
    late_event = Sent(0, event_record(0, "late"))
    world.produce([late_event])
    wait_for(lambda: world.positions() == {0: end + 1}, 30, f"the position at {end + 1}")
    assert late.end(signal.SIGTERM) == 0, late.said
    assert world.totals() == world.oracle()
