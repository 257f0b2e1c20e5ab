"""Dead letters, by the commands an operator runs."""

import base64
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaProducer

from gmv.errors import LedgerMissing, Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.model import GeneratedImage
from gmv.files.dead_letters import dead_letter_line
from gmv.kafka.dead_letters import dead_letter_message
from gmv.ledger.open import open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Entry
from gmv.ledger.position import Position
from gmv.settings import LedgerSettings
from gmv.stream.dead_letters import REPLAYED_FROM
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.cli.command import gmv, gmv_json, refused
from tests.conftest import TopicFactory
from tests.events.samples import line
from tests.kafka.test_emitter import records
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience

EVENTS = "events.jsonl"

RefusedRecord = tuple[Record, Reason]

DEAD_LETTERS: Sequence[RefusedRecord] = (
    (Record(3, line(id="a")), Reason.IMAGE_UNREACHABLE),
    (Record(4, b'{"id": "b"'), Reason.MALFORMED_JSON),
    (Record(5, line(id="c")), Reason.ID_CONFLICT),
    (Record(8, line(id="d")), Reason.IMAGE_UNREACHABLE),
    (Record(3, line(id="a")), Reason.IMAGE_UNREACHABLE),  # once more, after a crash
)


@pytest.fixture
def empty(ledger: LedgerSettings) -> LedgerSettings:
    """A ledger of each kind, made."""
    with closing(open_registry(ledger)) as registry:
        registry.create(1)
    return ledger


@pytest.fixture
def sqlite(sqlite: LedgerSettings) -> LedgerSettings:
    """A ledger in a file, made."""
    with closing(open_registry(sqlite)) as registry:
        registry.create(1)
    return sqlite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Dead letters as a replay of a file of events left them."""
    path = tmp_path / "events.dlq.jsonl"
    lines = [
        dead_letter_line(Partition(EVENTS, 0), DeadLetter(record, Poison(why, "why"))) for record, why in DEAD_LETTERS
    ]
    path.write_bytes(b"".join(each + b"\n" for each in lines))
    return path


@pytest.fixture
def topic_of_dead_letters(kafka: KafkaBroker, topic: TopicFactory) -> str:
    """The same in Kafka: a topic of events that is empty, and its dead letters."""
    name = topic(2)
    kafka.create_topic(f"{name}.dlq", 2)
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for number, (record, why) in enumerate(DEAD_LETTERS):
            message = dead_letter_message(Partition(name, 1), DeadLetter(record, Poison(why, "why")), "g")
            producer.send(f"{name}.dlq", **message._asdict(), partition=number % 2).get(timeout=patience(10))
    return name


class TestList:
    def test_by_reason_and_one_by_one(self, sqlite: LedgerSettings, file: Path) -> None:
        listed = gmv_json(sqlite, "dlq", "list", "--file", file)
        assert (listed["source"], listed["dead_letters"]) == (str(file), 4)
        assert listed["by_reason"] == {"id_conflict": 1, "image_unreachable": 2, "malformed_json": 1}
        assert listed["letters"][0] == {
            "topic": EVENTS,
            "partition": 0,
            "offset": 3,
            "reason": "image_unreachable",
            "detail": "why",
            "event": {"source": "/generator", "id": "a"},
            "replayed_from": [],
            "dead_lettered_at": None,
            "value_bytes": len(line(id="a")),
            "credited": False,
        }
        assert listed["letters"][1]["event"] == {"source": None, "id": None}

    @pytest.mark.parametrize(
        ("arguments", "offsets"),
        [
            (["--reason", "id_conflict", "--reason", "malformed_json"], [4, 5]),
            (["--event-id", "d"], [8]),
            (["--place", "0/3"], [3]),
            (["--limit", 2], [5, 8]),
            (["--reason", "image_corrupt"], []),
        ],
    )
    def test_some_of_them(
        self, sqlite: LedgerSettings, file: Path, arguments: list[object], offsets: list[int]
    ) -> None:
        listed = gmv_json(sqlite, "dlq", "list", "--file", file, *arguments)
        assert [each["offset"] for each in listed["letters"]] == offsets

    def test_for_people(self, sqlite: LedgerSettings, file: Path) -> None:
        done = gmv(sqlite, "dlq", "list", "--file", file)
        assert done.returncode == 0
        assert "4 dead letters" in done.stdout
        assert ["image_unreachable", "2", "0"] in [row.split() for row in done.stdout.splitlines()]
        assert [f"{EVENTS}/0/8", "image_unreachable", "d", "-", "why", "no"] in [
            row.split() for row in done.stdout.splitlines()
        ]

    def test_of_a_topic(self, sqlite: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str) -> None:
        listed = gmv_json(sqlite, "dlq", "list", "--topic", topic_of_dead_letters, "--brokers", kafka.address)
        assert (listed["source"], listed["dead_letters"]) == (f"{topic_of_dead_letters}.dlq", 4)
        assert {each["topic"] for each in listed["letters"]} == {topic_of_dead_letters}
        assert all(each["dead_lettered_at"].endswith("+00:00") for each in listed["letters"])


class TestShow:
    def test_all_that_is_in_one(self, sqlite: LedgerSettings, file: Path) -> None:
        (shown,) = gmv_json(sqlite, "dlq", "show", "--file", file, "--place", "0/4")["letters"]
        assert base64.b64decode(shown["value"]) == DEAD_LETTERS[1][0].value
        assert (shown["key"], shown["headers"]) == (None, [])

    def test_for_people(self, sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory) -> None:
        name = topic(1)
        kafka.create_topic(f"{name}.dlq", 1)
        record = Record(7, b"x" * 5_000, b"\xff", (("h", b"one"), ("h", b"\x00")))
        message = dead_letter_message(
            Partition(name, 1), DeadLetter(record, Poison(Reason.MALFORMED_JSON, "[why]")), "g"
        )
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            producer.send(f"{name}.dlq", **message._asdict()).get(timeout=patience(10))
        shown = gmv(sqlite, "dlq", "show", "--topic", name, "--brokers", kafka.address).stdout
        rows = [row.split(maxsplit=1) for row in shown.splitlines() if row.strip()]
        assert ["key", "\\xff"] in [[cell.strip() for cell in row] for row in rows]
        assert "(5,000 bytes)" in shown
        assert "[why]" in shown
        assert shown.count("header h") == 2

    def test_none(self, sqlite: LedgerSettings, file: Path) -> None:
        done = gmv(sqlite, "dlq", "show", "--file", file, "--event-id", "nobody")
        assert (done.returncode, done.stdout) == (1, "no dead letter is like that\n")


class TestRedriveIntoATopic:
    def test_nothing_is_sent_without_send(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address)
        assert gmv_json(sqlite, *arguments) == {
            "source": f"{topic_of_dead_letters}.dlq",
            "into": topic_of_dead_letters,
            "dry_run": True,
            "chosen": 2,
            "chosen_by_reason": {"image_unreachable": 2},
            "held_back": {"id_conflict": 1, "no_event": 1},
            "sent": 0,
        }
        assert "2 records would go to" in gmv(sqlite, *arguments).stdout
        assert records(kafka, topic_of_dead_letters, 2) == []

    def test_records_are_sent_as_they_were(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address, "--send")
        done = gmv_json(sqlite, *arguments, "--rate", 1_000)
        assert (done["dry_run"], done["chosen"], done["sent"]) == (False, 2, 2)
        found = records(kafka, topic_of_dead_letters, 2)
        assert sorted(message.value for _, message in found) == [line(id="a"), line(id="d")]
        assert {partition for partition, _ in found} == {1}
        assert {name for _, message in found for name, _ in message.headers} == {REPLAYED_FROM}
        assert "4 records sent to" in gmv(sqlite, *arguments, "--insist", "--rate", 1_000).stdout
        assert len(records(kafka, topic_of_dead_letters, 2)) == 6

    def test_what_the_ledger_has_credited_since_is_left_out(
        self, empty: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        credit(empty, topic_of_dead_letters, line(id="d"))
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address, "--uncredited")
        made = gmv_json(empty, *arguments)
        assert (made["chosen"], made["held_back"]) == (1, {"credited": 1, "id_conflict": 1, "no_event": 1})

    def test_without_a_ledger_nobody_knows_how_far_back_it_would_go(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        Path(sqlite.url.removeprefix("sqlite:///")).unlink()
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address, "--send")
        assert "gmv ledger init" in refused(sqlite, LedgerMissing.exit_code, *arguments)
        assert gmv_json(sqlite, *arguments, "--insist", "--rate", 1_000)["sent"] == 4

    def test_what_a_window_covers_is_sent(
        self, empty: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        """So slowly that the topic is asked for its ends again, by the thread that reads dead letters."""
        with closing(open_registry(empty)) as registry:
            registry.state_window(10)
        fill(kafka, topic_of_dead_letters, 11)
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address, "--send")
        done = gmv_json(empty, *arguments, "--rate", 0.9)
        assert (done["sent"], done["held_back"]) == (2, {"id_conflict": 1, "no_event": 1})
        assert len(records(kafka, topic_of_dead_letters, 2)) == 13

    def test_what_was_credited_before_the_window_is_not_paid_twice(
        self, empty: LedgerSettings, kafka: KafkaBroker, topic_of_dead_letters: str
    ) -> None:
        """A dead letter of `a`, of offset 3, was sent again to 10 and credited; then the partition went on."""
        with closing(open_registry(empty)) as registry:
            registry.state_window(10)
        fill(kafka, topic_of_dead_letters, 13)
        credit(empty, topic_of_dead_letters, line(id="a"), at=10)
        arguments = ("dlq", "redrive", "--topic", topic_of_dead_letters, "--brokers", kafka.address)
        made = gmv_json(empty, *arguments, "--uncredited")
        assert made["held_back"] == {"credited": 1, "id_conflict": 1, "no_event": 1}, "the ledger still knows it"

        fill(kafka, topic_of_dead_letters, 8)
        credit(empty, topic_of_dead_letters, line(id="z"), at=20)
        identity = event_of(line(id="a")).identity
        with closing(open_ledger(empty)) as opened:
            assert opened.known(1, [identity]) == {}, "it has let it go"
        done = gmv_json(empty, *arguments, "--uncredited", "--send", "--rate", 1_000)
        assert (done["chosen"], done["sent"]) == (0, 0)
        assert done["held_back"] == {"beyond_window": 2, "id_conflict": 1, "no_event": 1}
        assert "older than the ledger's identity window" in gmv(empty, *arguments).stdout
        assert len(records(kafka, topic_of_dead_letters, 2)) == 21
        assert gmv_json(empty, *arguments, "--insist", "--place", "1/3")["chosen"] == 1


class TestRedriveIntoAFile:
    def test_what_a_window_has_passed_is_held_back(self, sqlite: LedgerSettings, file: Path) -> None:
        with closing(open_registry(sqlite)) as registry:
            registry.state_window(10)
        events = file.with_name(EVENTS)
        events.write_bytes(b"{}\n" * 15)
        made = gmv_json(sqlite, "dlq", "redrive", "--file", file, "--into", events, "--send")
        assert (made["sent"], made["held_back"]) == (1, {"beyond_window": 1, "id_conflict": 1, "no_event": 1})
        assert events.read_bytes() == b"{}\n" * 15 + line(id="d") + b"\n"

    def test_lines_are_appended(self, sqlite: LedgerSettings, file: Path) -> None:
        events = file.with_name(EVENTS)
        events.write_bytes(b"first\n")
        arguments = ("dlq", "redrive", "--file", file, "--into", events)
        assert gmv_json(sqlite, *arguments)["chosen"] == 2
        assert events.read_bytes() == b"first\n"
        assert gmv_json(sqlite, *arguments, "--send")["into"] == str(events)
        assert events.read_bytes() == b"\n".join([b"first", line(id="a"), line(id="d"), b""])

    def test_dead_letters_of_another_file_stay_where_they_are(self, sqlite: LedgerSettings, file: Path) -> None:
        other = file.with_name("other.jsonl")
        other.write_bytes(b"")
        made = gmv_json(sqlite, "dlq", "redrive", "--file", file, "--into", other, "--send")
        assert (made["sent"], made["held_back"]) == (0, {"other_log": 4})

    def test_mistakes_are_said(self, sqlite: LedgerSettings, file: Path) -> None:
        assert "--into EVENTS" in refused(sqlite, 2, "dlq", "redrive", "--file", file)
        assert "--into goes with --file" in refused(sqlite, 2, "dlq", "redrive", "--into", file)
        assert "a file of its own" in refused(sqlite, 2, "dlq", "redrive", "--file", file, "--into", file)
        missing = file.with_name(EVENTS)
        arguments = ("dlq", "redrive", "--file", file, "--into", missing, "--send")
        assert "No such file" in refused(sqlite, 13, *arguments)


def test_mistakes_are_said(sqlite: LedgerSettings, file: Path, kafka: KafkaBroker) -> None:
    assert "there are malformed_json, " in refused(sqlite, 2, "dlq", "list", "--file", file, "--reason", "bad")
    assert "No such file" in refused(sqlite, 13, "dlq", "list", "--file", file.with_name("nothing"))
    assert "'nowhere.dlq' does not exist" in refused(
        sqlite, 30, "dlq", "list", "--topic", "nowhere", "--brokers", kafka.address
    )
    file.write_text(json.dumps({"event": 1}) + "\n")
    assert f"{file}:1 is no dead letter" in refused(sqlite, 13, "dlq", "show", "--file", file)


def event_of(value: bytes) -> GeneratedImage:
    event = decode(value)
    assert event is not None
    return event


def credit(ledger: LedgerSettings, topic: str, value: bytes, at: int = 0) -> None:
    """Commit an event to the ledger as if partition 1 of the topic had brought it there."""
    event = event_of(value)
    with closing(open_registry(ledger)) as registry, closing(open_ledger(ledger)) as opened:
        registry.register(topic, {1: Position("id", 0)})
        (position,) = opened.positions(topic, [1]).values()
        entry = Entry(event.identity, at, event.payload)
        batch = Batch(topic, 1, position, Position("id", at + 1), {"ada": 1}, [entry])
        assert opened.commit(batch) == Committed()


def fill(kafka: KafkaBroker, topic: str, count: int) -> None:
    """Append other records to partition 1."""
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for _ in range(count):
            producer.send(topic, b"{}", partition=1)
        producer.flush()
