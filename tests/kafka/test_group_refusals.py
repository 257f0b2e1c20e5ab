"""A group that takes no member like ours: the worker says what it was refused for, and which setting to change."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from gmv.errors import InvalidSettings, LogRefused
from gmv.kafka.admin import TopicAdmin
from gmv.kafka.inspection import KafkaInspector
from tests.kafka.small_worker import SESSION_SECONDS
from tests.kafka.world import World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import wait_for


@pytest.fixture(scope="module")
def strict_kafka() -> Iterator[KafkaBroker]:
    """It lets no member be silent for as long as our workers are."""
    with KafkaBroker({"group.max.session.timeout.ms": str((SESSION_SECONDS - 1) * 1_000)}) as broker:
        yield broker


@pytest.mark.servers
def test_a_session_above_the_brokers_maximum(strict_kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> None:
    with new_world(strict_kafka, redis_url, tmp_path, 2, receipts_partitions=1) as world:
        world.initialise()
        worker = world.start()
        assert worker.end() == InvalidSettings.exit_code, worker.said
        said = worker.said.splitlines()[-1]
        assert f"kafka.session_seconds is {SESSION_SECONDS}" in said
        assert f"1 to {SESSION_SECONDS - 1}" in said
        assert "group.max.session.timeout.ms" in said
        with closing(TopicAdmin(world.kafka)) as admin, closing(KafkaInspector(world.kafka)) as inspector:
            assert admin.session_limits() == inspector.session_limits() == (1.0, SESSION_SECONDS - 1.0)


@pytest.mark.servers
def test_a_group_whose_members_divide_partitions_otherwise(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> None:
    with new_world(kafka, redis_url, tmp_path, 2, receipts_partitions=1) as world:
        world.initialise()
        with closing(stranger(kafka, world)):
            worker = world.start()
            assert worker.end() == LogRefused.exit_code, worker.said
            assert "kafka.group" in worker.said.splitlines()[-1]


def stranger(kafka: KafkaBroker, world: World) -> KafkaConsumer:
    """A member of the world's group that knows another way alone."""
    consumer = KafkaConsumer(
        world.kafka.topic,
        bootstrap_servers=kafka.address,
        group_id=world.kafka.topic,
        partition_assignment_strategy=[StickyPartitionAssignor],
        max_poll_interval_ms=int(patience(120) * 1_000),
        session_timeout_ms=20_000,
    )

    def has_joined() -> bool:
        consumer.poll(timeout_ms=100)
        return bool(consumer.assignment())

    wait_for(has_joined, patience(30), "a member of the group")
    return consumer
