"""A broker that answers and sends its clients where nobody is: the sentence names the place and the setting."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from gmv.doctor.examination import Area, Examination
from gmv.errors import LogUnavailable
from gmv.kafka.admin import describe_topic
from gmv.kafka.silence import advertised, no_answer
from gmv.settings import KafkaSettings, LedgerSettings, Settings
from tests.cli.command import refused
from tests.services.kafka import KafkaBroker

NAME = "broker.invalid:9092"  # RFC 6761: no name under .invalid ever leads anywhere


class MisleadingBroker(KafkaBroker):
    """It is ready when it says where brokers are: no client comes further."""

    @override
    def is_ready(self) -> bool:
        return bool(asyncio.run(advertised(self.address, {})))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", params=["name", "port"])
def misled(request: pytest.FixtureRequest) -> Iterator[tuple[KafkaSettings, str]]:
    """A broker, and the address that it wrongly gives."""
    wrong = NAME if request.param == "name" else f"127.0.0.1:{closed_port()}"
    with MisleadingBroker({"advertised.listeners": f"PLAINTEXT://{wrong}"}) as broker:
        yield KafkaSettings(brokers=broker.address, topic="images"), wrong


def says(wrong: str, kafka: KafkaSettings) -> str:
    return f"Kafka at {kafka.brokers} answers, and says that its brokers are at {wrong} ("


def test_commands_name_where_clients_are_sent(misled: tuple[KafkaSettings, str]) -> None:
    kafka, wrong = misled

    with pytest.raises(LogUnavailable, match=r"advertised\.listeners") as caught:
        describe_topic(kafka)
    assert says(wrong, kafka) in str(caught.value)


def test_doctor_names_it(misled: tuple[KafkaSettings, str]) -> None:
    kafka, wrong = misled
    findings = Examination(Settings(kafka=kafka)).of([Area.KAFKA])

    assert any(says(wrong, kafka) in finding.found + str(finding.advice) for finding in findings)


def test_a_topic_is_not_made_there(misled: tuple[KafkaSettings, str], tmp_path: Path) -> None:
    kafka, wrong = misled

    assert says(wrong, kafka) in refused(
        LedgerSettings(url=f"sqlite:///{tmp_path}/l.db"), 30, "topics", "create", "--brokers", kafka.brokers
    )


def test_a_broker_that_is_away_is_called_so() -> None:
    kafka = KafkaSettings(brokers=f"127.0.0.1:{closed_port()}")

    assert "does not answer (gone)" in str(no_answer(kafka, ConnectionError("gone")))


def test_a_broker_that_sends_nobody_astray_is_not_blamed(kafka: KafkaBroker) -> None:
    assert "does not answer (slow)" in str(no_answer(KafkaSettings(brokers=kafka.address), ConnectionError("slow")))
