"""One event explained, by the command an operator runs."""

from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from gmv.errors import Poison, Reason
from gmv.files.dead_letters import dead_letter_line
from gmv.kafka.dead_letters import dead_letter_message
from gmv.settings import LedgerSettings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.cli.command import TOPIC, create, credit_with_receipts, gmv, gmv_json, refused
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker

REFUSED = DeadLetter(
    Record(9, orjson.dumps({"source": "/s", "id": "bad"})), Poison(Reason.IMAGE_CORRUPT, "it ends too soon")
)


def nothing_known(ledger: LedgerSettings, *arguments: object) -> Any:
    done = gmv(ledger, "explain", *arguments, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    return orjson.loads(done.stdout)


@pytest.fixture
def files(ledger: LedgerSettings, tmp_path: Path) -> list[object]:
    """Two committed batches, an altered copy of the first, and a dead letter; as arguments."""
    create(ledger)
    first = credit_with_receipts(ledger, ["ada", "bob"])
    altered = [line.replace(b'"index":"i"', b'"index":"older"') for line in first]
    receipts, dead_letters = tmp_path / "receipts.jsonl", tmp_path / "dlq.jsonl"
    receipts.write_bytes(b"\n".join(altered + first + credit_with_receipts(ledger, ["cy"])) + b"\n")
    dead_letters.write_bytes(dead_letter_line(Partition(TOPIC, 0), REFUSED) + b"\n")
    return ["--receipts", receipts, "--dead-letters", dead_letters]


class TestFromFiles:
    def test_a_credited_event(self, ledger: LedgerSettings, files: list[object]) -> None:
        explained = gmv_json(ledger, "explain", "e2", *files)
        (event,) = explained["events"]
        (receipt,) = event["receipts"]
        assert (explained["ledger_url"], explained["event_id"]) == (ledger.url, "e2")
        assert (event["source"], event["outcome"], event["dead_letters"]) == ("/s", "credited", [])
        assert (receipt["standing"], receipt["topic"], receipt["partition"], receipt["offset"]) == (
            "committed",
            TOPIC,
            0,
            2,
        )
        assert (receipt["index"], receipt["settings"], receipt["credit_micros"]) == ("i", "s", 1_000_000)
        assert receipt["contributors"] == [
            {
                "image_id": "image",
                "owner_id": "cy",
                "distance": 0.5,
                "utility": 1.0,
                "weight": 1.0,
                "value": 1.0,
                "credit_micros": 1_000_000,
                "mirrored": False,
            }
        ]

    def test_for_people(self, ledger: LedgerSettings, files: list[object]) -> None:
        done = gmv(ledger, "explain", "e2", "--source", "/s", *files)
        rows = [row.split() for row in done.stdout.splitlines()]
        assert done.returncode == 0
        assert done.stdout.startswith("event (/s, e2): credited, 1.000000 credits\n")
        assert ["image", "cy", "0.5000", "1.000000", "1", "1.000000", "1.000000"] in rows
        assert ["record", f"{TOPIC}/0/2"] in rows
        assert "the ledger confirms it" in done.stdout

    def test_a_dead_letter(self, ledger: LedgerSettings, files: list[object]) -> None:
        (event,) = gmv_json(ledger, "explain", "bad", *files)["events"]
        assert (event["outcome"], event["receipts"]) == ("dead_lettered", [])
        assert [(each["reason"], each["offset"]) for each in event["dead_letters"]] == [("image_corrupt", 9)]
        said = gmv(ledger, "explain", "bad", *files).stdout
        assert "refused, image_corrupt" in said
        assert "it ends too soon" in said

    def test_an_altered_copy_is_told_from_the_receipt_that_counts(
        self, ledger: LedgerSettings, files: list[object]
    ) -> None:
        (event,) = gmv_json(ledger, "explain", "e0", *files)["events"]
        assert [(each["index"], each["standing"]) for each in event["receipts"]] == [
            ("older", "unclear"),
            ("i", "committed"),
        ]
        assert event["outcome"] == "credited"

    @pytest.mark.parametrize("arguments", [["nobody"], ["e0", "--source", "/another"]])
    def test_nothing(self, ledger: LedgerSettings, files: list[object], arguments: list[object]) -> None:
        assert nothing_known(ledger, *arguments, *files)["events"] == []
        said = gmv(ledger, "explain", *arguments, *files)
        assert (said.returncode, said.stdout.startswith(f"nothing is known of event {arguments[0]}")) == (1, True)

    def test_mistakes_are_told(self, ledger: LedgerSettings, tmp_path: Path) -> None:
        assert "gmv ledger init" in refused(ledger, 21, "explain", "e0", "--receipts", tmp_path / "nothing")
        create(ledger)
        assert "No such file" in refused(ledger, 13, "explain", "e0", "--receipts", tmp_path / "nothing")


def test_from_kafka(ledger: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory) -> None:
    create(ledger)
    name = topic(1)
    kafka.create_topic(f"{name}.attributions", 2)
    kafka.create_topic(f"{name}.dlq", 1)
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for owners in (["ada", "bob", "cy"], ["dan"]):
            for number, line in enumerate(credit_with_receipts(ledger, owners)):
                producer.send(f"{name}.attributions", line, partition=number % 2)
        producer.send(f"{name}.dlq", **dead_letter_message(Partition(name, 0), REFUSED, "g")._asdict())
    where = ("--topic", name, "--brokers", kafka.address)
    (event,) = gmv_json(ledger, "explain", "e1", *where)["events"]
    (receipt,) = event["receipts"]
    assert (receipt["standing"], receipt["batch_receipts"]) == ("committed", 3)
    assert [each["owner_id"] for each in receipt["contributors"]] == ["bob"]
    (refused_event,) = gmv_json(ledger, "explain", "bad", *where)["events"]
    assert [each["reason"] for each in refused_event["dead_letters"]] == ["image_corrupt"]
    assert nothing_known(ledger, "nobody", *where)["events"] == []
