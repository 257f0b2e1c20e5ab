import os
from pathlib import Path

import orjson
import pytest

from gmv.events.cloudevents import decode
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.conftest import TopicFactory
from tests.events.samples import line, png
from tests.kafka.test_emitter import records
from tests.services.kafka import KafkaBroker
from tests.services.server import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for colour in ("red", "green", "blue"):
        (tmp_path / "images" / f"{colour}.png").write_bytes(png(colour))
    return tmp_path / "images"


def test_a_folder_sent_twice_holds_the_same_events_on_the_same_partitions(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, folder: Path
) -> None:
    name = topic(2)
    arguments = ("emit", folder, "--topic", name, "--brokers", kafka.address, "--model", "sd", "--quality", "0.5")

    first = gmv_json(sqlite, *arguments)
    second = gmv_json(sqlite, *arguments)

    assert first == second
    assert (first["topic"], first["sent"], sum(first["partitions"].values())) == (name, 3, 3)
    found = [(partition, decode(each.value, each.headers), each.key) for partition, each in records(kafka, name, 2)]
    events = {(partition, event.identity, event.payload) for partition, event, _ in found}
    assert (len(found), len(events)) == (6, 3)
    assert {(event.model, event.quality) for _, event, _ in found} == {("sd", 0.5)}
    assert all(key == event.event_id.encode() for _, event, key in found)


def test_people_see_what_was_sent_where(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, folder: Path
) -> None:
    name = topic(1)

    done = gmv(sqlite, "emit", folder / "red.png", folder / "blue.png", "--topic", name, "--brokers", kafka.address)

    assert done.returncode == 0
    assert "2 events sent" in done.stdout
    assert [name, "0", "2"] in [row.split() for row in done.stdout.splitlines()]


def test_what_a_folder_holds_beside_images_is_told(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, folder: Path
) -> None:
    for name in ("._red.png", ".thumbs", "notes.txt"):
        (folder / name).write_bytes(png("red"))
    (folder / "linked").symlink_to(folder.parent)
    where = ("--topic", topic(1), "--brokers", kafka.address)

    sent = gmv_json(sqlite, "emit", folder, folder, *where)
    said = gmv(sqlite, "emit", folder, *where).stdout

    assert sent["sent"] == 6
    assert sent["passed_over"] == [
        {"why": ".txt", "files": 1, "first": [str(folder / "notes.txt")]},
        {"why": "hidden", "files": 2, "first": [str(folder / "._red.png"), str(folder / ".thumbs")]},
        {"why": "links to folders", "files": 1, "first": [str(folder / "linked")]},
    ]
    assert f"passed over 2 (hidden): {folder}/._red.png, {folder}/.thumbs" in said.splitlines()


def test_another_format_is_named_before_brokers_are_asked(sqlite: LedgerSettings, folder: Path) -> None:
    picture = folder / "picture.gif"
    picture.write_bytes(b"GIF89a")
    nobody = ("--brokers", f"127.0.0.1:{free_port()}")

    said = refused(sqlite, 13, "emit", picture, *nobody)

    assert f"{picture}: image_refused: the image is not a PNG, JPEG or WEBP file but GIF" in said


def test_events_of_lines_and_raw_lines(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(id="a") + b"\n")
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b"{broken\n")
    name = topic(1)
    where = ("--topic", name, "--brokers", kafka.address)

    gmv_json(sqlite, "emit", path, *where)
    gmv_json(sqlite, "emit", path, *where, "--structured")
    gmv_json(sqlite, "emit", broken, *where, "--raw")
    assert "broken.jsonl:1: malformed_json" in refused(sqlite, 13, "emit", broken, *where)

    binary, structured, raw = [message for _, message in records(kafka, name, 1)]
    assert orjson.loads(binary.value) == orjson.loads(line())["data"]
    assert structured.value == line(id="a")
    assert raw == (None, b"{broken", [])


def test_an_image_too_large_for_the_topic_is_named(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, folder: Path
) -> None:
    (folder / "large.png").write_bytes(bytes(10_000))
    name = topic(1, max_message_bytes="5000")

    said = refused(sqlite, 13, "emit", folder, "--topic", name, "--brokers", kafka.address)

    assert "large.png" in said
    assert "max.message.bytes" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--source", ""], "source is empty"),
        (["--source", "a\nb"], "control characters"),
        (["--model", "x" * 2_000], "data.model"),
        (["--raw", "--structured"], "leave out --structured"),
    ],
)
def test_options_that_would_make_poison_of_every_event_are_refused_first(
    options: list[str], says: str, sqlite: LedgerSettings, folder: Path
) -> None:
    assert says in refused(sqlite, 2, "emit", folder, *options)


@pytest.mark.parametrize("quality", ["nan", "1.1", "-0.1", "much"])
def test_a_quality_that_is_none_is_refused(quality: str, sqlite: LedgerSettings, folder: Path) -> None:
    done = gmv(sqlite, "emit", folder, "--quality", quality)

    assert done.returncode == 2
    assert "--quality" in done.stderr


@pytest.mark.parametrize("options", [[], ["--raw"]])
def test_what_is_not_on_this_machine_is_told_before_brokers_are_asked(
    options: list[str], sqlite: LedgerSettings, folder: Path
) -> None:
    missing = folder / "none.jsonl"
    nobody = ("--brokers", f"127.0.0.1:{free_port()}")

    assert f"{missing}: No such file" in refused(sqlite, 13, "emit", folder / "red.png", missing, *nobody, *options)


def test_a_topic_that_is_not_there(sqlite: LedgerSettings, kafka: KafkaBroker, folder: Path) -> None:
    said = refused(sqlite, 30, "emit", folder, "--topic", "nowhere", "--brokers", kafka.address)

    assert "'nowhere' does not exist" in said


def test_files_of_any_name_are_sent(
    sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory, folder: Path
) -> None:
    (folder / os.fsdecode(b"a caf\xe9 [y] \x1b[2J.png")).write_bytes(png("black"))  # the first, in order of name
    name = topic(1)
    assert gmv_json(sqlite, "emit", folder, "--topic", name, "--brokers", kafka.address)["sent"] == 4
    metadata = [decode(each.value, each.headers).metadata for _, each in records(kafka, name, 1)]
    names = [orjson.loads(each.text)["name"] for each in metadata if each is not None]
    assert sorted(names) == ["a caf\\xe9 [y] \x1b[2J.png", "blue.png", "green.png", "red.png"]
