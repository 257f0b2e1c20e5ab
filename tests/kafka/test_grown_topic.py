"""A topic that is given more partitions under running workers, and registered as the chart's hook does it."""

import re
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gmv.ledger.open import open_accounts
from gmv.ledger.verify import conservation
from tests.end_to_end.command import gmv_json
from tests.kafka.world import Sent, Worker, World, new_world
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for
from tests.stream.world import event_record

BEFORE, EVENTS, PARTITIONS = 12, 60, 4


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, partitions=2) as made:
        yield made


def sent(numbers: range, partitions: int) -> list[Sent]:
    return [Sent(number % partitions, event_record(0, f"e{number}", ["ada", "ben"])) for number in numbers]


def ledger_of(world: World) -> dict[str, str]:
    """What is said of the ledger by a worker's settings, and nothing else."""
    return {"GMV_LEDGER_URL": world.ledger.url, "GMV_LEDGER_NAMESPACE": world.ledger.namespace}


def init(world: World) -> list[int]:
    """`gmv ledger init --from end`, at first and at each upgrade; returns what was registered."""
    variables = ledger_of(world) | {"GMV_KAFKA_BROKERS": world.kafka.brokers}
    arguments = ("ledger", "init", "--topic", world.kafka.topic, "--from", "end")
    registered: list[int] = gmv_json(*arguments, environment=variables)["registered"]
    return registered


def advised(worker: Worker) -> str:
    """The command that a worker's warning names, "" where it has not warned yet."""
    lines = [line["event"] for line in worker.all_lines if line["level"] == "warning"]
    found = re.search("partitions \\[2, 3\\] were added .*`(gmv [^`]*)`", " ".join(lines))
    return found[1] if found else ""


@pytest.mark.parametrize("is_killed", [False, True])
def test_no_event_of_an_added_partition_is_lost(world: World, kafka: KafkaBroker, is_killed: bool) -> None:
    """The worker goes on with the partitions that it knows, and takes the others up once they are registered."""
    world.produce(sent(range(BEFORE), 2))
    assert init(world) == [0, 1]
    workers = [world.start()]
    world.produce(sent(range(BEFORE, BEFORE + 20), 2))
    wait_for(lambda: world.sums().credited == 20, 60, "what came after the first init")

    with kafka.admin() as admin:
        admin.create_partitions({world.kafka.topic: PARTITIONS})
    world.produce(sent(range(BEFORE + 20, BEFORE + EVENTS), PARTITIONS))
    wait_for(lambda: world.sums().credited >= 40, 60, "what came into the partitions that are known")
    if is_killed:
        workers[0].end(signal.SIGKILL)
        workers.append(world.start())
    command = wait_for(lambda: advised(workers[-1]), 60, "what to do about the partitions that were added")
    assert f" --topic {world.kafka.topic} " in command
    assert gmv_json(*command.split()[1:], environment=ledger_of(world))["registered"] == [2, 3]
    wait_for(lambda: world.sums().credited == EVENTS, 90, "everything after the first init")
    assert workers[-1].end(signal.SIGTERM) == 0
    assert world.totals() == {"ada": EVENTS * 500_000, "ben": EVENTS * 500_000}
    assert init(world) == []
    with closing(open_accounts(world.ledger)) as accounts:
        found = conservation(accounts)
    assert (found.complaints, found.offsets_uncounted, found.begins_unrecorded) == ((), 0, ())
