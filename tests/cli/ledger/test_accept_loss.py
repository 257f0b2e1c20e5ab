"""`gmv ledger accept-loss`: the one way on after retention, which credits nothing twice and gives up what it names."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from gmv.errors import LedgerMissing, LedgerRefused, PositionOutsideLog
from tests.cli.command import gmv, refused, told
from tests.kafka.crew import Crew, Sent, new_crew
from tests.services.kafka import KafkaBroker
from tests.stream.world import event_record

PARTITIONS = 2


@pytest.fixture
def crew(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    with new_crew(kafka, redis_url, tmp_path, PARTITIONS) as crew:
        crew.initialise()
        yield crew


def arguments(crew: Crew, partition: int = 1) -> tuple[Any, ...]:
    where = ("--topic", crew.kafka.topic, "--brokers", crew.kafka.brokers)
    return ("ledger", "accept-loss", "--partition", partition, *where)


def test_what_is_gone_is_given_up_and_all_else_credited_once(crew: Crew, kafka: KafkaBroker) -> None:
    sent = [Sent(number % PARTITIONS, event_record(number, f"event-{number}")) for number in range(20)]
    crew.produce(sent)
    worker = crew.start()
    crew.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    lost = [Sent(1, event_record(number, f"lost-{number}")) for number in range(3)]
    crew.produce([*lost, *(Sent(number % PARTITIONS, event_record(number, f"later-{number}")) for number in range(8))])
    with kafka.admin() as admin:
        admin.delete_records({TopicPartition(crew.kafka.topic, 1): 13})
    worker = crew.start()
    assert worker.end() == PositionOutsideLog.exit_code
    assert "gmv ledger accept-loss" in worker.said

    assert told(crew.ledger, *arguments(crew)) == {
        "topic": crew.kafka.topic,
        "partition": 1,
        "position_before": 10,
        "position": 13,
        "offsets_lost": 3,
    }
    worker = crew.start()
    crew.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    crew.sent = [each for each in crew.sent if each not in lost]
    assert crew.totals() == crew.oracle()
    assert crew.explanation().receipts == len(crew.sent)


def test_a_position_within_its_log_is_not_moved(crew: Crew, kafka: KafkaBroker) -> None:
    before = crew.positions()
    assert "nothing is lost" in refused(crew.ledger, LedgerRefused.exit_code, *arguments(crew))
    assert "has no position" in refused(crew.ledger, LedgerMissing.exit_code, *arguments(crew, PARTITIONS))
    with kafka.admin() as admin:
        admin.delete_topics([crew.kafka.topic])
    kafka.create_topic(crew.kafka.topic, PARTITIONS)
    assert "made again" in refused(crew.ledger, PositionOutsideLog.exit_code, *arguments(crew))
    assert crew.positions() == before


def test_a_person_is_told_what_to_keep(crew: Crew, kafka: KafkaBroker) -> None:
    crew.produce([Sent(1, event_record(number, f"event-{number}")) for number in range(4)])
    with kafka.admin() as admin:
        admin.delete_records({TopicPartition(crew.kafka.topic, 1): 4})
    done = gmv(crew.ledger, *arguments(crew))
    assert (
        done.stdout.split()
        == (
            f"{crew.kafka.topic}[1] stands at 4 now. The 4 offsets from 0 on are never credited; keep this line"
        ).split()
    )
