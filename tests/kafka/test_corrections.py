"""Corrections of a ledger that is fed from Kafka: their receipts are in its topic, wherever a run of them ended."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from gmv.kafka.admin import describe_topic
from gmv.kafka.reading import records_in_topic
from gmv.kafka.receipts import receipts_topics
from gmv.ledger.open import open_accounts
from gmv.ledger.position import Position
from gmv.settings import KafkaSettings, LedgerSettings
from tests.cli.command import create, credit_with_receipts, environment, gmv_json, refused
from tests.cli.conftest import ledger as ledger
from tests.conftest import TopicFactory
from tests.kafka.dying_correct import KILLED, PLACES
from tests.operations.test_correction_file import line
from tests.services.kafka import KafkaBroker

LINES = [
    line(id="c-1", micros=2_000_000),
    line(id="c-2", from_owner="ben", to_owner="ada", micros=400_000, event={"source": "/s", "id": "e3"}),
    line(id="c-3", from_owner="ben", to_owner=..., micros=600_000, event={"source": "/s", "id": "e3"}),
]
AFTER = {"ada": 1_400_000, "ben": 2_000_000}


@dataclass(frozen=True, slots=True)
class Desk:
    """A ledger of a topic, in which Ada has e0 to e2 and Ben e3, and a file of corrections."""

    ledger: LedgerSettings
    kafka: KafkaSettings
    file: Path

    @property
    def receipts(self) -> str:
        return self.kafka.receipts_topic

    def correct(self, *more: object) -> tuple[object, ...]:
        return ("ledger", "correct", "--file", self.file, "--brokers", self.kafka.brokers, *more)

    def verify(self) -> Any:
        """By the topic alone."""
        where = ("--receipts-topic", self.receipts, "--brokers", self.kafka.brokers)
        return gmv_json(self.ledger, "ledger", "verify", *where)

    def explain(self, event_id: str) -> Any:
        where = ("--topic", self.kafka.topic, "--brokers", self.kafka.brokers)
        (event,) = gmv_json(self.ledger, "explain", event_id, *where)["events"]
        return event

    def balances(self) -> dict[str, int]:
        with closing(open_accounts(self.ledger)) as accounts:
            return {each.owner_id: each.micros for each in accounts.balances()}

    def published(self) -> list[Any]:
        return [orjson.loads(each.value or b"") for each in records_in_topic(self.kafka, self.receipts)]


@pytest.fixture
def desk(ledger: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, tmp_path: Path) -> Desk:
    settings = KafkaSettings(brokers=kafka.address, topic=topic(1), retry_seconds=20)
    kafka.create_topic(settings.receipts_topic, 2)
    kafka.create_topic(settings.dead_letters_topic, 1)
    create(ledger, topic=settings.topic, topic_id=describe_topic(settings).topic_id)
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for each in credit_with_receipts(ledger, ["ada", "ada", "ada", "ben"], settings.topic):
            producer.send(settings.receipts_topic, each)
    file = tmp_path / "june.jsonl"
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in LINES))
    return Desk(ledger, settings, file)


def test_receipts_of_corrections_are_in_the_topic_and_the_file_may_be_lost(desk: Desk) -> None:
    done = gmv_json(desk.ledger, *desk.correct())
    assert (done["applied"], done["receipts_topic"]) == (3, desk.receipts)
    assert desk.balances() == AFTER
    Path(done["receipts_path"]).unlink()
    assert (desk.verify()["corrections"], desk.verify()["credited"]) == (3, 4)
    event = desk.explain("e3")
    assert {each["id"]: each["standing"] for each in event["corrections"]} == {"c-2": "committed", "c-3": "committed"}
    keyed = {each.key: each.headers for each in records_in_topic(desk.kafka, desk.receipts) if each.key}
    assert keyed == {each["id"].encode(): [("content-type", b"application/json")] for each in LINES}

    assert gmv_json(desk.ledger, *desk.correct())["already_applied"] == 3
    with desk.file.open("ab") as file:
        file.write(orjson.dumps(LINES[2] | {"id": "c-4", "micros": 1}))
    assert "event (/s, e3) paid 'ben' 0 micro-credits" in refused(desk.ledger, 15, *desk.correct())
    assert gmv_json(desk.ledger, *desk.correct("--insist", "meant"))["insisted"] == 1
    assert desk.verify()["corrections"] == 4


@pytest.mark.parametrize("where", PLACES)
def test_a_run_that_ended_anywhere_is_repeated(desk: Desk, where: str) -> None:
    """The first of two commits is done, and the process ends during the second."""
    command = [sys.executable, "-m", "tests.kafka.dying_correct", where, *map(str, desk.correct())]
    died = subprocess.run(command, env=environment(desk.ledger), capture_output=True, text=True)
    assert died.returncode == KILLED, died.stderr
    assert gmv_json(desk.ledger, *desk.correct())["applied"] == (0 if where == "after the commit" else 1)
    assert desk.balances() == AFTER
    verified = desk.verify()
    assert (verified["corrections"], verified["receipts"]["orphan_batches"]) == (3, 0)
    desk.file.with_suffix(".receipts.jsonl").unlink()
    assert desk.verify() == verified
    again = Counter(each["correction"] for each in desk.published() if "correction" in each)
    repeated = where not in {"before the topic", "after the commit"}
    assert again == Counter({"c-1": 1, "c-2": 1, "c-3": 2 if repeated else 1})


def test_what_was_left_by_a_run_that_never_went_on_is_no_part_of_what_an_event_paid(desk: Desk) -> None:
    """The receipt of c-3 is in the topic and not committed; another file takes the same once, and is explained."""
    command = [sys.executable, "-m", "tests.kafka.dying_correct", "before the commit", *map(str, desk.correct())]
    assert subprocess.run(command, env=environment(desk.ledger), capture_output=True).returncode == KILLED
    other = desk.file.with_name("july.jsonl")
    other.write_bytes(orjson.dumps(LINES[2] | {"id": "c-9"}))
    assert gmv_json(desk.ledger, "ledger", "correct", "--file", other, "--brokers", desk.kafka.brokers)["applied"] == 1
    assert "event (/s, e3) paid 'ben' 0 micro-credits" in refused(desk.ledger, 15, *desk.correct())
    assert desk.verify()["receipts"]["orphan_batches"] == 1
    standing = {each["id"]: each["standing"] for each in desk.explain("e3")["corrections"]}
    assert standing == {"c-2": "committed", "c-3": "awaited", "c-9": "committed"}


def unreachable(desk: Desk) -> tuple[object, ...]:
    return ("ledger", "correct", "--file", desk.file, "--brokers", "127.0.0.1:1")


def nowhere(desk: Desk) -> tuple[object, ...]:
    return desk.correct("--receipts-topic", "nowhere")


@pytest.mark.parametrize(("command", "says"), [(unreachable, "does not answer"), (nowhere, "does not exist")])
def test_without_its_topic_nothing_is_corrected(
    desk: Desk, command: Callable[[Desk], tuple[object, ...]], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = desk.file.with_name("gmv.toml")
    short.write_text("[kafka]\nretry_seconds = 2\n")
    before = desk.balances()
    said = refused(desk.ledger, 15, *command(desk), "--config", short)
    assert "receipts of its event cannot be read" in said
    assert says in said
    assert "--insist REASON" in said
    assert says in refused(desk.ledger, 30, *command(desk), "--insist", "meant", "--config", short)
    desk.file.write_bytes(orjson.dumps(LINES[0]))
    assert says in refused(desk.ledger, 30, *command(desk), "--config", short)
    assert desk.balances() == before
    assert desk.verify()["corrections"] == 0


def test_topics_are_known_by_their_ids_and_the_one_set_comes_first() -> None:
    uuid = "0b1f1c7e-2f8a-4c3e-9b1e-6a5f4d3c2b1a"
    positions = {
        ("b", 0): Position(uuid, 1),
        ("a", 1): Position(uuid, 1),
        ("a", 2): Position(uuid, 1),
        ("events.jsonl", 0): Position("first-record:0b1f1c7e2f8a4c3e9b1e6a5f4d3c2b1a", 1),
        ("corrections/june.jsonl", 0): Position("first-correction:0b1f1c7e2f8a4c3e9b1e6a5f4d3c2b1a", 1),
    }
    assert receipts_topics(KafkaSettings(topic="c"), positions) == ["a.attributions", "b.attributions"]
    assert receipts_topics(KafkaSettings(topic="b"), positions) == ["b.attributions", "a.attributions"]
    assert receipts_topics(KafkaSettings(), {}) == []
