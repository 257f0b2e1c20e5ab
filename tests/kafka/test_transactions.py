"""A log whose producer uses transactions: aborted records are not credited, and none of them keeps a position back."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition

from gmv.kafka.admin import describe_topic
from tests.kafka.crew import Crew, Sent, new_crew
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

EVENTS = 30


@pytest.fixture
def crew(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    with new_crew(kafka, redis_url, tmp_path, partitions=1) as crew:
        crew.initialise()
        yield crew


async def send_in_transactions(crew: Crew) -> None:
    """Send one that is committed, and one that is aborted, which ends the log."""
    brokers, topic = crew.kafka.brokers, crew.kafka.topic
    async with AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=topic) as producer:
        for is_committed in (True, False):
            await producer.begin_transaction()
            for number in range(EVENTS):
                record = event_record(number, f"{is_committed}-{number}")
                await producer.send_and_wait(topic, record.value, partition=0)
                crew.sent += [Sent(0, record)] * is_committed
            await (producer.commit_transaction() if is_committed else producer.abort_transaction())


def test_what_ends_in_an_aborted_transaction_is_read_to_its_end_and_retention_loses_nothing(crew: Crew) -> None:
    worker = crew.start()
    asyncio.run(send_in_transactions(crew))
    end = 2 * EVENTS + 2  # a mark after each
    wait_for(lambda: crew.positions() == {0: end}, 30, f"the position at {end}")
    assert crew.totals() == crew.oracle()
    assert worker.end(signal.SIGTERM) == 0, worker.said

    admin = KafkaAdminClient(bootstrap_servers=crew.kafka.brokers)
    admin.delete_records({TopicPartition(crew.kafka.topic, 0): end})
    admin.close()
    assert describe_topic(crew.kafka).bounds[0].start == end
    late = crew.start()
    late_event = Sent(0, event_record(0, "late"))
    crew.produce([late_event])
    wait_for(lambda: crew.positions() == {0: end + 1}, 30, f"the position at {end + 1}")
    assert late.end(signal.SIGTERM) == 0, late.said
    assert crew.totals() == crew.oracle()
