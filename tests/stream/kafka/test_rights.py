"""What each role does with the rights it is given, on a broker that checks them, and what it may not do without one."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmv.errors import LogRefused
from gmv.events.encoding import KafkaMessage
from gmv.settings import KafkaSettings
from gmv.stream.kafka.emitter import Emitter
from gmv.stream.kafka.receipts import receipts_in_topic
from gmv.stream.kafka.rights import ROLES, Right, rights
from tests.services.secure_kafka import SecureKafkaBroker
from tests.stream.kafka.crew import Crew, Sent, Worker
from tests.stream.world import event_record, poison_record

RETRY_SECONDS = 10.0
USER = "worker"


@pytest.fixture
def crew(secure_kafka: SecureKafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Topics that hold an event and a bad record, by way of the test's own door."""
    name = f"test-{uuid.uuid4().hex}"
    for topic in (name, f"{name}.attributions", f"{name}.dlq"):
        secure_kafka.create_topic(topic, 1)
    with Crew(secure_kafka, name, redis_url, tmp_path) as crew:
        crew.initialise()
        crew.produce([Sent(0, event_record(0, "event-0", ["ada", "ben"])), Sent(0, poison_record(1))])
        yield crew


def start(crew: Crew, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker that comes by way of these settings."""
    told = settings.model_dump(exclude_none=True, exclude_defaults=True)
    for name in ("security_protocol", "username", "password_file", "ca_file", "cert_file", "key_file"):
        monkeypatch.setenv(f"GMV_KAFKA_{name.upper()}", str(told.get(name, "")))
    inner, crew.kafka = crew.kafka, crew.kafka.model_copy(update={"brokers": settings.brokers})
    try:
        return crew.start()
    finally:
        crew.kafka = inner


@pytest.mark.parametrize("way", ["by_password", "by_certificate"])
def test_a_worker_needs_no_more_than_its_rights(
    way: str, secure_kafka: SecureKafkaBroker, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_kafka.allow(USER, *rights("worker", crew.kafka))
    worker = start(crew, getattr(secure_kafka, way)(USER), monkeypatch)

    crew.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert crew.totals() == crew.oracle()
    assert len(list(crew.read(crew.kafka.dead_letters_topic))) == 1
    assert crew.explanation().receipts == 1


@pytest.mark.parametrize("missing", range(4))
def test_without_any_of_them_a_worker_refuses_and_credits_nothing(
    missing: int, secure_kafka: SecureKafkaBroker, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list(rights("worker", crew.kafka))
    lacking = given.pop(missing)
    secure_kafka.allow(USER, *given)
    worker = start(crew, secure_kafka.by_password(USER), monkeypatch)

    assert worker.end() == LogRefused.exit_code, (lacking, worker.said)
    assert "does not let user 'worker' do that" in worker.said
    assert crew.totals() == {}


def test_a_producer_needs_to_write_and_cannot_read(secure_kafka: SecureKafkaBroker, crew: Crew) -> None:
    kafka = secure_kafka.by_password(USER, topic=crew.kafka.topic, retry_seconds=RETRY_SECONDS)
    message = KafkaMessage(b"key", b"value", [])
    secure_kafka.allow(USER, *rights("producer", kafka))
    with Emitter(kafka) as emitter:
        emitter.send("x", message)
        assert emitter.finish() == {0: 1}
    with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
        list(receipts_in_topic(kafka, kafka.topic))

    secure_kafka.allow(USER, Right("Describe", "Topic", kafka.topic))
    with Emitter(kafka) as emitter:
        emitter.send("x", message)
        with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
            emitter.finish()


def test_an_auditor_needs_to_read_receipts_and_nothing_else(secure_kafka: SecureKafkaBroker, crew: Crew) -> None:
    kafka = secure_kafka.by_password(USER, topic=crew.kafka.topic, retry_seconds=RETRY_SECONDS)
    secure_kafka.allow(USER, *rights("auditor", kafka))
    assert list(receipts_in_topic(kafka, kafka.receipts_topic)) == []
    with pytest.raises(LogRefused), Emitter(kafka):
        pass


def test_a_stranger_may_do_nothing(secure_kafka: SecureKafkaBroker, crew: Crew) -> None:
    kafka = secure_kafka.by_password("stranger", topic=crew.kafka.topic, retry_seconds=RETRY_SECONDS)
    for question in (lambda: Emitter(kafka), lambda: list(receipts_in_topic(kafka, kafka.receipts_topic))):
        with pytest.raises(LogRefused, match="does not let user 'stranger' do that"):
            question()


def test_the_security_page_lists_these_rights() -> None:
    page = (Path(__file__).parents[3] / "SECURITY.md").read_text()
    told = [tuple(cell.strip(" `") for cell in line.strip("|").split("|")) for line in page.splitlines()]
    expected = [(role, *right) for role in ROLES for right in rights(role, KafkaSettings())]

    assert [row for row in told if row[0] in ROLES] == expected
