"""Two workers by one name: the one that lost it says so and waits, and works once the other is gone."""

import signal
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.kafka.small_worker import SESSION_SECONDS
from tests.kafka.test_pump import PARTITIONS, assert_exact, events
from tests.kafka.world import Worker, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for

NAME = "worker-0"


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as world:
        world.initialise()
        yield world


def owned(worker: Worker) -> float | None:
    return worker.metric("gmv_assigned_partitions")


def says_who_has_it(worker: Worker) -> bool:
    status, page = worker.page("/readyz")
    if status != 503:
        return False
    complaints = orjson.loads(page)["complaints"]
    return complaints == ["another worker, at 127.0.0.1, has this one's kafka.instance_id: give each its own"]


def test_the_older_waits_until_the_younger_is_gone(world: World, seed: int) -> None:
    older = world.start(instance_id=NAME)
    wait_for(lambda: owned(older) == PARTITIONS, 30, "all partitions with the older")
    world.produce(events(seed, 200))
    world.wait_until_done()
    younger = world.start(instance_id=NAME)
    wait_for(lambda: owned(younger) == PARTITIONS, 30, "all partitions with the younger")
    wait_for(lambda: says_who_has_it(older), 30, "what the older says")
    assigned = len(younger.lines("positions_assigned"))
    looks = older.metric("gmv_instance_id_conflicts_total") or 0
    world.produce(events(seed + 1, 200))
    world.wait_until_done()
    wait_for(lambda: (older.metric("gmv_instance_id_conflicts_total") or 0) >= looks + 2, 60, "two more looks")
    assert len(younger.lines("positions_assigned")) == assigned  # nobody evicted it
    assert younger.metric("gmv_instance_id_conflicts_total") == 0
    assert younger.page("/readyz")[0] == 200
    (line,) = older.lines("instance_id_taken")
    assert line["held_by_worker_at"] == "127.0.0.1"

    younger.end(signal.SIGKILL)
    wait_for(lambda: owned(older) == PARTITIONS, 2 * SESSION_SECONDS + 40, "all partitions with the older again")
    assert older.page("/readyz")[0] == 200
    assert len(older.lines("instance_id_free")) == 1
    world.produce(events(seed + 2, 200))
    world.wait_until_done()
    assert older.end(signal.SIGTERM) == 0, older.said
    assert_exact(world)


def test_one_that_waits_can_be_stopped(world: World) -> None:
    older = world.start(instance_id=NAME)
    wait_for(lambda: owned(older) == PARTITIONS, 30, "all partitions with the older")
    younger = world.start(instance_id=NAME)
    wait_for(lambda: says_who_has_it(older), 60, "what the older says")
    assert older.end(signal.SIGTERM) == 0, older.said
    assert younger.end(signal.SIGTERM) == 0, younger.said


def test_of_several_that_start_together_one_works(redis_url: str, tmp_path: Path, seed: int) -> None:
    """They join while the group waits for its first members, and all but one are fenced as they do."""
    with (
        KafkaBroker({"group.initial.rebalance.delay.ms": "5000"}) as broker,
        new_world(broker, redis_url, tmp_path, PARTITIONS, receipts_partitions=2) as world,
    ):
        world.initialise()
        world.produce(events(seed, 200))
        workers = [world.start(instance_id=NAME) for _ in range(3)]
        world.wait_until_done()
        wait_for(lambda: sum(map(says_who_has_it, workers)) == 2, 60, "what two say")
        assert sorted(worker.page("/readyz")[0] for worker in workers) == [200, 503, 503]
        assert [worker.end(signal.SIGTERM) for worker in workers] == [0, 0, 0], workers[0].said
        assert_exact(world)


def test_one_that_is_started_again_has_its_name_at_once(world: World, seed: int) -> None:
    for number in range(3):
        worker = world.start(instance_id=NAME)
        world.produce(events(seed + number, 20))
        world.wait_until_done()
        assert worker.metric("gmv_instance_id_conflicts_total") == 0
        worker.end(signal.SIGKILL)
    assert_exact(world)
