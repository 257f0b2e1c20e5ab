"""What each role does with the rights it is given, on a broker that checks them, and what it may not do without one."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from gmv.errors import CorrectionsRefused, LogRefused
from gmv.events.encoding import KafkaMessage
from gmv.kafka.admin import describe_topic
from gmv.kafka.emitter import Emitter
from gmv.kafka.receipts import receipts_in_topic
from gmv.kafka.rights import ROLES, Right, rights
from gmv.settings import KafkaSettings, LedgerSettings
from tests.cli.command import create, credit_with_receipts
from tests.end_to_end.command import command, gmv, gmv_json
from tests.kafka.world import Sent, Worker, World, new_world
from tests.operations.test_correction_file import line
from tests.services.patience import patience
from tests.services.secure_kafka import SecureKafkaBroker
from tests.services.server import free_port, mortal, wait_for
from tests.stream.world import event_record, poison_record

RETRY_SECONDS = 10.0
USER = "worker"


@pytest.fixture
def world(secure_kafka: SecureKafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    """Topics that hold an event and a bad record, by way of the test's own door."""
    with new_world(secure_kafka, redis_url, tmp_path, partitions=1) as world:
        world.initialise()
        world.produce([Sent(0, event_record(0, "event-0", ["ada", "ben"])), Sent(0, poison_record(1))])
        yield world


def start(world: World, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker that comes by way of these settings."""
    stated = settings.model_dump(exclude_none=True, exclude_defaults=True)
    for name in ("security_protocol", "username", "password_file", "ca_file", "cert_file", "key_file"):
        monkeypatch.setenv(f"GMV_KAFKA_{name.upper()}", str(stated.get(name, "")))
    inner, world.kafka = world.kafka, world.kafka.model_copy(update={"brokers": settings.brokers})
    try:
        return world.start()
    finally:
        world.kafka = inner


@pytest.mark.parametrize("way", ["by_password", "by_certificate"])
def test_a_worker_needs_no_more_than_its_rights(
    way: str, secure_kafka: SecureKafkaBroker, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_kafka.allow(USER, *rights("worker", world.kafka))
    worker = start(world, getattr(secure_kafka, way)(USER), monkeypatch)

    world.wait_until_done()
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert world.totals() == world.oracle()
    assert len(list(world.read(world.kafka.dead_letters_topic))) == 1
    assert world.explanation().receipts == 1


@pytest.mark.parametrize("missing", range(4))
def test_without_any_of_them_a_worker_refuses_and_credits_nothing(
    missing: int, secure_kafka: SecureKafkaBroker, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list(rights("worker", world.kafka))
    lacking = given.pop(missing)
    secure_kafka.allow(USER, *given)
    worker = start(world, secure_kafka.by_password(USER), monkeypatch)

    assert worker.end() == LogRefused.exit_code, (lacking, worker.said)
    assert "does not let user 'worker' do that" in worker.said
    assert world.totals() == {}


def test_a_producer_needs_to_write_and_cannot_read(secure_kafka: SecureKafkaBroker, world: World) -> None:
    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    message = KafkaMessage(b"key", b"value", [])
    secure_kafka.allow(USER, *rights("producer", kafka))
    with closing(Emitter(kafka)) as emitter:
        emitter.send("x", message)
        assert emitter.finish() == {0: 1}
    with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
        list(receipts_in_topic(kafka, kafka.topic))

    secure_kafka.allow(USER, Right("Describe", "Topic", kafka.topic))
    with closing(Emitter(kafka)) as emitter:
        emitter.send("x", message)
        with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
            emitter.finish()


def test_an_auditor_needs_to_see_the_topic_of_events_and_nothing_else(
    secure_kafka: SecureKafkaBroker, world: World, tmp_path: Path
) -> None:
    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    secure_kafka.allow(USER, *rights("auditor", kafka))
    with audit(settings_file(kafka, world.ledger, tmp_path)) as page:
        wait_for(lambda: 'gmv_ledger_state{state="sound"} 1.0' in page(), 60, "the audit to see ledger and log")
        assert f'gmv_ledger_lag_records{{partition="0",topic="{kafka.topic}"}} 2.0' in page()

    with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
        list(receipts_in_topic(kafka, kafka.receipts_topic))
    secure_kafka.allow(USER, *rights("verifier", kafka))
    with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
        describe_topic(kafka)


def test_a_verifier_needs_to_read_receipts_and_nothing_else(
    secure_kafka: SecureKafkaBroker, world: World, tmp_path: Path
) -> None:
    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    secure_kafka.allow(USER, *rights("verifier", kafka))
    arguments = ("ledger", "verify", "--receipts-topic", kafka.receipts_topic)
    assert gmv_json(*arguments, "--config", settings_file(kafka, world.ledger, tmp_path))["conserved"]
    with pytest.raises(LogRefused):
        Emitter(kafka)


@pytest.mark.parametrize("missing", [None, 0, 1])
def test_an_explainer_needs_to_read_receipts_and_dead_letters(
    missing: int | None, secure_kafka: SecureKafkaBroker, world: World, tmp_path: Path
) -> None:
    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    given = list(rights("explainer", kafka))
    if missing is not None:
        given.pop(missing)
    secure_kafka.allow(USER, *given)
    arguments = ("explain", "nobody's", "--config", settings_file(kafka, world.ledger, tmp_path))
    said = gmv(*arguments, exit_code=1 if missing is None else LogRefused.exit_code)
    assert ("does not let user 'worker' do that" in said) == (missing is not None)


@pytest.mark.parametrize(
    ("missing", "exit_code"), [(None, 0), (0, CorrectionsRefused.exit_code), (1, LogRefused.exit_code)]
)
def test_a_corrector_needs_to_read_receipts_and_to_write_them(
    missing: int | None, exit_code: int, secure_kafka: SecureKafkaBroker, world: World, tmp_path: Path
) -> None:
    ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    create(ledger, topic=world.kafka.topic, topic_id=describe_topic(world.kafka).topic_id)
    (credited,) = credit_with_receipts(ledger, ["ada"], world.kafka.topic)
    with closing(Emitter(world.kafka.model_copy(update={"topic": world.kafka.receipts_topic}))) as emitter:
        emitter.send("receipt", KafkaMessage(b"e0", credited, []))
        emitter.finish()
    file = tmp_path / "june.jsonl"
    file.write_text(json.dumps(line(event={"source": "/s", "id": "e0"}, to_owner=None)))

    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    given = list(rights("corrector", kafka))
    if missing is not None:
        given.pop(missing)
    secure_kafka.allow(USER, *given)
    config = settings_file(kafka, ledger, tmp_path)
    said = gmv("ledger", "correct", "--file", file, "--config", config, exit_code=exit_code)
    assert ("does not let user 'worker' do that" in said) == (missing is not None)


def test_an_administrator_can_make_a_ledger_for_the_topic(
    secure_kafka: SecureKafkaBroker, world: World, tmp_path: Path
) -> None:
    kafka = secure_kafka.by_password(USER, topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    arguments = ("ledger", "init", "--topic", kafka.topic, "--config", settings_file(kafka, ledger, tmp_path))
    *others, describe = rights("administrator", kafka)
    secure_kafka.allow(USER, *others)
    assert "does not let user 'worker' do that" in gmv(*arguments, exit_code=LogRefused.exit_code)
    secure_kafka.allow(USER, describe)
    assert gmv_json(*arguments)["positions"] == {"0": 0}


def settings_file(kafka: KafkaSettings, ledger: LedgerSettings, folder: Path) -> Path:
    """Settings as a user of `gmv` writes them down."""
    groups = {"kafka": kafka, "ledger": ledger}
    path = folder / "gmv.toml"
    lines = [
        line
        for name, group in groups.items()
        for line in (
            f"[{name}]",
            *(
                f"{key} = {json.dumps(value)}"
                for key, value in group.model_dump(mode="json", exclude_none=True, exclude_defaults=True).items()
            ),
        )
    ]
    path.write_text("\n".join(lines))
    return path


@contextmanager
def audit(config: Path) -> Iterator[Callable[[], str]]:
    """Run `gmv ledger audit`, and give what reads its page."""
    port = free_port()
    words = command("ledger", "audit", "--config", config, "--every", "0.2", "--web-port", port)
    with config.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(mortal(words), stdout=log, stderr=log)

    def page() -> str:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=patience(5)) as answer:
                return str(answer.read().decode())
        except OSError:
            assert process.poll() is None, config.with_suffix(".log").read_text()
            return ""

    try:
        yield page
    finally:
        process.kill()
        process.wait()


def test_a_stranger_may_do_nothing(secure_kafka: SecureKafkaBroker, world: World) -> None:
    kafka = secure_kafka.by_password("stranger", topic=world.kafka.topic, retry_seconds=RETRY_SECONDS)
    for question in (lambda: Emitter(kafka), lambda: list(receipts_in_topic(kafka, kafka.receipts_topic))):
        with pytest.raises(LogRefused, match="does not let user 'stranger' do that"):
            question()


def test_the_security_page_lists_these_rights() -> None:
    page = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    rows = [tuple(cell.strip(" `") for cell in line.strip("|").split("|")) for line in page.splitlines()]
    expected = [(role, *right) for role in ROLES for right in rights(role, KafkaSettings())]

    assert [row for row in rows if row[0] in ROLES] == expected
