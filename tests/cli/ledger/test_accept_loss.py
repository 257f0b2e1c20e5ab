"""`gmv ledger accept-loss`: the one way on after retention, which credits nothing twice and gives up what it names."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from gmv.errors import LedgerMissing, LedgerRefused, PositionOutsideLog
from tests.cli.command import gmv, gmv_json, refused
from tests.kafka.world import Sent, World, new_world
from tests.services.kafka import KafkaBroker
from tests.stream.world import event_record

PARTITIONS = 2


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, PARTITIONS) as world:
        world.initialise()
        yield world


def arguments(world: World, partition: int = 1) -> tuple[Any, ...]:
    where = ("--topic", world.kafka.topic, "--brokers", world.kafka.brokers)
    return ("ledger", "accept-loss", "--partition", partition, *where)


def test_what_is_gone_is_given_up_and_all_else_credited_once(world: World, kafka: KafkaBroker) -> None:
    sent = [Sent(number % PARTITIONS, event_record(number, f"event-{number}")) for number in range(20)]
    world.produce(sent)
    worker = world.start()
    world.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    lost = [Sent(1, event_record(number, f"lost-{number}")) for number in range(3)]
    world.produce([*lost, *(Sent(number % PARTITIONS, event_record(number, f"later-{number}")) for number in range(8))])
    with kafka.admin() as admin:
        admin.delete_records({TopicPartition(world.kafka.topic, 1): 13})
    worker = world.start()
    assert worker.end() == PositionOutsideLog.exit_code
    assert "gmv ledger accept-loss" in worker.said

    assert gmv_json(world.ledger, *arguments(world)) == {
        "topic": world.kafka.topic,
        "partition": 1,
        "position_before": 10,
        "position": 13,
        "offsets_lost": 3,
    }
    worker = world.start()
    world.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    world.sent = [each for each in world.sent if each not in lost]
    assert world.totals() == world.oracle()
    assert world.explanation().receipts == len(world.sent)


def test_a_position_within_its_log_is_not_moved(world: World, kafka: KafkaBroker) -> None:
    before = world.positions()
    assert "nothing is lost" in refused(world.ledger, LedgerRefused.exit_code, *arguments(world))
    assert "has no position" in refused(world.ledger, LedgerMissing.exit_code, *arguments(world, PARTITIONS))
    with kafka.admin() as admin:
        admin.delete_topics([world.kafka.topic])
    kafka.create_topic(world.kafka.topic, PARTITIONS)
    assert "made again" in refused(world.ledger, PositionOutsideLog.exit_code, *arguments(world))
    assert world.positions() == before


def test_a_person_is_told_what_to_keep(world: World, kafka: KafkaBroker) -> None:
    world.produce([Sent(1, event_record(number, f"event-{number}")) for number in range(4)])
    with kafka.admin() as admin:
        admin.delete_records({TopicPartition(world.kafka.topic, 1): 4})
    done = gmv(world.ledger, *arguments(world))
    assert (
        done.stdout.split()
        == (f"{world.kafka.topic}[1] is at 4 now. The 4 offsets from 0 on are never credited; keep this line").split()
    )
