from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import EventsRefused
from gmv.events import outgoing as outgoing_module
from gmv.events.cloudevents import decode
from gmv.events.json_text import JsonPart
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.events.outgoing import Telling, check_path, event_id_of, outgoing, raw_lines
from tests.events.samples import METADATA, envelope, line, png, with_metadata

TELLING = Telling("/generator", 0.5, "sd")


def events(path: Path, telling: Telling = TELLING) -> dict[str, GeneratedImage]:
    return {name: decode(message.value, message.headers) for name, message in outgoing(path, telling)}


def contents(found: dict[str, GeneratedImage]) -> dict[str, bytes]:
    return {name: event.content.content for name, event in found.items() if isinstance(event.content, ImageBytes)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images" / "deep").mkdir(parents=True)
    for name, colour in {"b.PNG": "red", "a.jpeg": "green", "deep/c.webp": "blue", "notes.txt": "black"}.items():
        (tmp_path / "images" / name).write_bytes(png(colour))
    return tmp_path / "images"


@pytest.mark.parametrize("is_structured", [False, True])
def test_a_folder_gives_its_images_in_order_of_name(folder: Path, is_structured: bool) -> None:
    found = events(folder, Telling("/generator", 0.5, "sd", is_structured))

    assert contents(found) == {"a.jpeg": png("green"), "b.PNG": png("red"), "deep/c.webp": png("blue")}
    assert list(found) == ["a.jpeg", "b.PNG", "deep/c.webp"]
    for name, event in found.items():
        assert (event.source, event.quality, event.model) == ("/generator", 0.5, "sd")
        assert event.metadata == JsonPart(orjson.dumps({"name": name}))


def test_a_file_is_sent_byte_for_byte_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")

    assert contents(events(tmp_path / "broken.png")) == {"broken.png": b"no image"}


@pytest.mark.parametrize(
    "column",
    [
        lambda files: pa.array([{"bytes": file, "path": "x.png"} for file in files]),
        lambda files: pa.array(files, pa.binary()),
        lambda files: pa.array(files, pa.large_binary()),
        lambda files: pa.array(files, pa.binary_view()),
        lambda files: pa.array(files).dictionary_encode(),
        lambda files: pa.StructArray.from_arrays([pa.array(files).dictionary_encode()], ["bytes"]),
    ],
    ids=["datasets", "binary", "large", "view", "dictionary", "struct of dictionary"],
)
def test_parquet_gives_its_image_column(column: Callable[[list[bytes]], pa.Array], tmp_path: Path) -> None:
    files = [png("red"), png("blue"), png("red")]
    pq.write_table(pa.table({"label": [1, 2, 3], "image": column(files)}), tmp_path / "e.parquet", row_group_size=2)

    found = events(tmp_path / "e.parquet")

    assert contents(found) == {f"e.parquet#{row}": file for row, file in enumerate(files)}
    assert len({event.event_id for event in found.values()}) == 3  # the same image twice is two events


@pytest.mark.parametrize("is_structured", [False, True])
def test_lines_are_sent_without_loss(tmp_path: Path, is_structured: bool) -> None:
    told = [envelope(id="a", subject="x"), envelope(id="b", data={"image": {"uri": "a:b"}, "more": 1})]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join([orjson.dumps(told[0]), b"", orjson.dumps(told[1])]))

    sent = list(outgoing(path, Telling("unused", is_structured=is_structured)))

    assert [each.name for each in sent] == [f"{path}:1", f"{path}:3"]
    assert [each.message.key for each in sent] == [b"a", b"b"]
    assert [decode(each.message.value, each.message.headers) for each in sent] == [
        decode(orjson.dumps(event)) for event in told
    ]
    bodies = [orjson.loads(each.message.value) for each in sent]
    assert bodies == (told if is_structured else [event["data"] for event in told])
    if not is_structured:
        assert dict(sent[0].message.headers)["ce_subject"] == b"x"


def test_raw_lines_are_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(b'{"broken\r\n\n\xff\xfe\n  {}')

    assert [each.message for each in raw_lines(path)] == [
        (None, b'{"broken', []),
        (None, b"\xff\xfe", []),
        (None, b"  {}", []),
    ]


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line() + b"\n" + line(id=...) + b"\n")

    with pytest.raises(EventsRefused, match=rf"{path}:2: invalid_event: id is missing; .*--raw"):
        list(outgoing(path, TELLING))


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
@pytest.mark.parametrize("is_structured", [False, True])
def test_metadata_of_lines_is_sent_byte_for_byte(metadata: bytes, is_structured: bool, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(with_metadata(metadata).replace(b'"source"', b'"seq": 1180591620717411303425, "source"'))

    (sent,) = outgoing(path, Telling("unused", is_structured=is_structured))

    assert metadata in sent.message.value
    assert decode(sent.message.value, sent.message.headers).metadata == JsonPart(metadata)
    if not is_structured:
        assert dict(sent.message.headers)["ce_seq"] == b"1180591620717411303425"


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_module, "LINE_BYTES_MAX", 100)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 1_000)

    with pytest.raises(EventsRefused, match="longer than 100 bytes"):
        list(raw_lines(path))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.png", "No such file"),
        ("none", "No such file"),
        ("none.parquet", "No such file"),
        ("none.jsonl", "No such file"),
        ("empty", "no image in it"),
        ("notes.txt", "gmv sends images"),
        ("broken.parquet", "cannot be read as Parquet"),
        ("empty.parquet", "no rows"),
        ("null.parquet", "row 1 has no image"),
        ("other.parquet", "no image column, but text"),
    ],
)
def test_what_holds_no_events_is_refused_by_name(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.parquet").write_text("x")
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "empty.parquet")
    pq.write_table(pa.table({"image": pa.array([b"x", None], pa.binary())}), tmp_path / "null.parquet")
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "other.parquet")

    with pytest.raises(EventsRefused, match=says) as caught:
        list(outgoing(tmp_path / name, TELLING))
    assert str(tmp_path / name) in str(caught.value)


def test_a_path_is_checked_without_its_files_being_read(folder: Path) -> None:
    (folder.parent / "broken.parquet").write_text("x")
    (folder.parent / "broken.jsonl").write_text("x")
    for path in (folder, folder / "b.PNG", folder.parent / "broken.parquet", folder.parent / "broken.jsonl"):
        check_path(path)
    for path in (folder / "none", folder / "none.jsonl", folder / "notes.txt"):
        with pytest.raises(EventsRefused, match=f"^{path}: "):
            check_path(path)
    check_path(folder / "notes.txt", is_raw=True)
    for path in (folder, folder / "none"):
        with pytest.raises(EventsRefused, match=f"^{path}"):
            check_path(path, is_raw=True)


@given(first=st.tuples(st.text(), st.binary()), second=st.tuples(st.text(), st.binary()))
def test_an_id_stands_for_name_and_content(first: tuple[str, bytes], second: tuple[str, bytes]) -> None:
    assert (event_id_of(*first) == event_id_of(*second)) == (first == second)


@given(name=st.text() | st.binary().map(lambda name: name.decode(errors="surrogateescape")), content=st.binary())
def test_every_name_makes_an_id_that_is_accepted(name: str, content: bytes) -> None:
    assert decode(line(id=event_id_of(name, content)))
