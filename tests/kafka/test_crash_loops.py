"""A record that ends workers of a group, on a real broker and a real Redis."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmv.errors import Reason
from gmv.kafka.dead_letters import dead_letters_in_topic
from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import CRASHES_PER_RECORD_MAX, event_record

PARTITIONS = 2


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, PARTITIONS) as world:
        yield world


def test_it_is_dead_lettered_and_everything_else_is_credited(world: World) -> None:
    world.initialise()
    events = [Sent(each % PARTITIONS, event_record(each, f"event-{each}", ["ada"])) for each in range(300)]
    fatal = event_record(0, "fatal", ["segfault"])
    world.produce([*events[:200], Sent(1, fatal), *events[200:]])

    def is_done() -> bool:
        return sum(world.positions().values()) == len(world.sent)

    crashes, worker = 0, world.start(instance_id="a")
    while not is_done():
        wait_for(lambda: is_done() or not worker.is_running, 60, "the log's end, or the worker's")  # noqa: B023
        if not worker.is_running:
            assert worker.end() == -signal.SIGSEGV, worker.said
            crashes, worker = crashes + 1, world.start(instance_id="a")
    assert worker.end(signal.SIGTERM) == 0, worker.said

    assert CRASHES_PER_RECORD_MAX <= crashes <= CRASHES_PER_RECORD_MAX + 2
    (dead_letter,) = dead_letters_in_topic(world.kafka)
    assert (dead_letter.reason, dead_letter.record.value) == (Reason.KILLED_WORKER, fatal.value)
    assert world.totals() == {"ada": 300_000_000}
    assert world.sums().dead_letters == 1
    assert world.explanation().micros == 300_000_000
