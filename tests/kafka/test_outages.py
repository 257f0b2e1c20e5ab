"""Redis and Kafka going away in the middle: within the retry budget nobody notices, beyond it the worker says so."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmv.errors import LedgerUnavailable, LogUnavailable
from tests.kafka.crew import Crew, new_crew
from tests.kafka.test_pump import PARTITIONS, assert_exact, events
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import wait_for


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def crew(kafka: KafkaBroker, mortal_redis: RedisServer, tmp_path: Path, seed: int) -> Iterator[Crew]:
    with new_crew(kafka, mortal_redis.url, tmp_path, PARTITIONS, receipts_partitions=2) as crew:
        crew.initialise()
        crew.produce(events(seed, 600))
        yield crew


class TestRedis:
    def test_killed_and_back_within_the_budget(self, crew: Crew, mortal_redis: RedisServer) -> None:
        worker = crew.start(0.1)
        for records in (100, 300):
            crew.wait_until_done(records)
            mortal_redis.kill()
            mortal_redis.start()
        crew.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        assert_exact(crew)

    def test_away_beyond_the_budget_ends_the_worker_with_a_sentence(
        self, crew: Crew, mortal_redis: RedisServer
    ) -> None:
        worker = crew.start(0.1)
        crew.wait_until_done(100)
        mortal_redis.stop()
        assert worker.end() == LedgerUnavailable.exit_code, worker.said
        assert mortal_redis.address in worker.said
        mortal_redis.start()
        heir = crew.start()
        crew.wait_until_done()
        assert heir.end(signal.SIGTERM) == 0, heir.said
        assert_exact(crew)

    def test_down_at_the_start(self, crew: Crew, mortal_redis: RedisServer) -> None:
        mortal_redis.stop()
        worker = crew.start()
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
        with new_crew(mortal_kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as crew:
            crew.initialise()
            crew.produce(events(seed, 600))
            worker = crew.start(0.1, retry_seconds=patience(10))  # a broker takes 5 s to come back
            crew.wait_until_done(100)
            mortal_kafka.kill()
            mortal_kafka.start()
            crew.wait_until_done()
            assert worker.is_running, worker.said
            mortal_kafka.stop()
            crew_is_quiet = crew.totals()
            assert worker.end(signal.SIGTERM) in (0, LogUnavailable.exit_code), worker.said
            late = crew.start()
            assert late.end() == LogUnavailable.exit_code, late.said
            assert mortal_kafka.address in late.said
            assert crew.totals() == crew_is_quiet
            mortal_kafka.start()
            wait_for(mortal_kafka.is_ready, 30, "the broker")
            assert_exact(crew)
