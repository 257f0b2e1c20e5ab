"""Redis and Kafka going away in the middle: within the retry budget nobody notices, beyond it the worker says so."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmv.errors import LedgerUnavailable, LogUnavailable
from tests.kafka.test_pump import PARTITIONS, assert_exact, events
from tests.kafka.world import World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import wait_for


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def world(kafka: KafkaBroker, mortal_redis: RedisServer, tmp_path: Path, seed: int) -> Iterator[World]:
    with new_world(kafka, mortal_redis.url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
        world.initialise()
        world.produce(events(seed, 600))
        yield world


class TestRedis:
    def test_killed_and_back_within_the_budget(self, world: World, mortal_redis: RedisServer) -> None:
        worker = world.start(0.1)
        for records in (100, 300):
            world.wait_until_done(records)
            mortal_redis.kill()
            mortal_redis.start()
        world.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        assert_exact(world)

    def test_away_beyond_the_budget_ends_the_worker_with_a_sentence(
        self, world: World, mortal_redis: RedisServer
    ) -> None:
        worker = world.start(0.1)
        world.wait_until_done(100)
        mortal_redis.stop()
        assert worker.end() == LedgerUnavailable.exit_code, worker.said
        assert mortal_redis.address in worker.said
        mortal_redis.start()
        heir = world.start()
        world.wait_until_done()
        assert heir.end(signal.SIGTERM) == 0, heir.said
        assert_exact(world)

    def test_down_at_the_start(self, world: World, mortal_redis: RedisServer) -> None:
        mortal_redis.stop()
        worker = world.start()
        assert worker.end() == LedgerUnavailable.exit_code, worker.said
        assert mortal_redis.address in worker.said


class TestKafka:
    @pytest.fixture
    def mortal_kafka(self) -> Iterator[KafkaBroker]:
        with KafkaBroker() as broker:
            yield broker

    @pytest.mark.exhaustive  # in short: the simulator, where brokers go away
    def test_down_at_the_start_in_the_middle_and_back(
        self, mortal_kafka: KafkaBroker, redis_url: str, tmp_path: Path, seed: int
    ) -> None:
        with new_world(mortal_kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
            world.initialise()
            world.produce(events(seed, 600))
            worker = world.start(0.1, retry_seconds=patience(10))  # a broker takes 5 s to come back
            world.wait_until_done(100)
            mortal_kafka.kill()
            mortal_kafka.start()
            world.wait_until_done()
            assert worker.is_running, worker.said
            mortal_kafka.stop()
            crew_is_quiet = world.totals()
            assert worker.end(signal.SIGTERM) in (0, LogUnavailable.exit_code), worker.said
            late = world.start()
            assert late.end() == LogUnavailable.exit_code, late.said
            assert mortal_kafka.address in late.said
            assert world.totals() == crew_is_quiet
            mortal_kafka.start()
            wait_for(mortal_kafka.is_ready, 30, "the broker")
            assert_exact(world)
