"""How much a worker writes at load, and while a server that it needs is away: our lines and libraries' are counted.

Before they were limited it was a line per run, 90 a second at 100 events a second, and 85 a second without a broker.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from gmv.monitoring.reachability import REMINDER_SECONDS
from tests.kafka.test_pump import PARTITIONS, assert_exact, events
from tests.kafka.world import Sent, Worker, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import Server, wait_for

EVENTS_PER_SECOND = 100
AWAY_SECONDS = 10.0
LINES_MAX = 40
"""Of everything, start and end of a worker included, and once more for each 30 s that an outage lasts."""


@contextmanager
def load(world: World, records: list[Sent]) -> Iterator[None]:
    """Send records at their rate beside the block, through one that is away, too, and all of them by its end."""
    is_over = threading.Event()

    def send() -> None:
        producer = KafkaProducer(
            bootstrap_servers=world.kafka.brokers,
            acks="all",
            enable_idempotence=True,
            delivery_timeout_ms=int(patience(60) * 1_000),
            max_block_ms=int(patience(60) * 1_000),
        )
        for partition, record in records:
            value, key, headers = record.value, record.key, list(record.headers)
            producer.send(world.kafka.topic, value, key, headers=headers, partition=partition)
            is_over.wait(1 / EVENTS_PER_SECOND)
        producer.flush()
        producer.close()
        world.sent += records

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def let_away(world: World, worker: Worker, server: Server, name: str) -> None:
    """Kill a server for a while, see what the probe says meanwhile, and wait until the worker is ready again."""
    world.wait_until_done(100)
    assert worker.page("/readyz")[0] == 200
    server.kill()
    away_at = time.monotonic()
    wait_for(lambda: f"{name} at " in worker.page("/readyz")[1], 20, f"{name} missed by /readyz")
    status, told = worker.page("/readyz")
    assert status == 503
    assert server.address in told
    assert "since 20" in told
    assert worker.page("/livez")[0] == 200
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - away_at)))
    server.start()
    wait_for(lambda: worker.page("/readyz")[0] == 200, 60, "the worker ready again")


def by_level(worker: Worker) -> Counter[str]:
    return Counter(line["level"] for line in worker.all_lines)


def reminders_of_one_outage(worker: Worker, server: Server, name: str) -> int:
    """See one warning, and one line when it was back, both with the address; return how many more warnings are due."""
    away: list[dict[str, Any]] = worker.lines("server_away")
    (back,) = worker.lines("server_back")
    assert {(line["level"], line["server"]) for line in away} == {("warning", name)}
    assert (back["level"], back["server"]) == ("info", name)
    assert all(server.address in line["address"] for line in [*away, back])
    assert back["away_seconds"] > AWAY_SECONDS / 2  # a while after it was killed somebody asked
    reminders = int(back["away_seconds"] / REMINDER_SECONDS)
    assert 1 <= len(away) <= 1 + reminders
    return reminders


def summed_up(worker: Worker) -> tuple[int, int, int]:
    lines = worker.lines("runs_finished")
    credited, duplicates, dead_letters = (
        sum(line[name] for line in lines) for name in ("credited", "duplicates", "dead_letters")
    )
    return credited, duplicates, dead_letters


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def mortal_kafka() -> Iterator[KafkaBroker]:
    with KafkaBroker() as broker:
        yield broker


@pytest.mark.parametrize("log_level", ["info", pytest.param("debug", marks=pytest.mark.exhaustive)])
def test_redis_away_under_load(
    kafka: KafkaBroker, mortal_redis: RedisServer, tmp_path: Path, seed: int, log_level: str
) -> None:
    with new_world(kafka, mortal_redis.url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
        world.initialise()
        worker = world.start(ledger_retry_seconds=patience(30), log_level=log_level)
        with load(world, events(seed, 1_500)):
            let_away(world, worker, mortal_redis, "the ledger")
        world.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        assert_exact(world)
        reminders = reminders_of_one_outage(worker, mortal_redis, "the ledger")
        sums = world.sums()
        assert summed_up(worker) == (sums.credited, sums.duplicates, sums.dead_letters)
        lines = by_level(worker)
        if log_level == "debug":  # nothing is lost
            assert len(worker.lines("run_finished")) == sum(line["runs"] for line in worker.lines("runs_finished"))
            assert len(worker.lines("server_failed")) >= AWAY_SECONDS / 2  # tries are at most a second apart
        else:
            ours = [line for line in worker.all_lines if line["logger"].startswith("gmv.")]
            assert Counter(line["level"] for line in ours)["warning"] <= 1 + reminders, worker.said
            assert (lines["debug"], lines.total() <= LINES_MAX * (1 + reminders)) == (0, True), worker.said


def test_kafka_away_under_load(mortal_kafka: KafkaBroker, redis_url: str, tmp_path: Path, seed: int) -> None:
    with new_world(mortal_kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
        world.initialise()
        worker = world.start(retry_seconds=patience(30))
        with load(world, events(seed, 1_500)):
            let_away(world, worker, mortal_kafka, "Kafka")
        world.wait_until_done()
        assert worker.end(signal.SIGTERM) == 0, worker.said
        assert_exact(world)
        reminders = reminders_of_one_outage(worker, mortal_kafka, "Kafka")
        assert by_level(worker).total() <= LINES_MAX * (1 + reminders), worker.said
        held_back = sum(line.get("more_like_this", 0) for line in worker.all_lines)
        assert held_back > 3 * LINES_MAX  # else there was nothing to hold back, and this shows nothing
