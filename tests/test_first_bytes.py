"""Files that should be JSON lines and are none, each made by what makes them, and lines that may look like them."""

import bz2
import gzip
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import CorrectionsRefused, EventsRefused
from gmv.events.outgoing import Telling, check_path, outgoing
from gmv.files.lines import Lines, first_record
from gmv.files.log import describe_file
from gmv.first_bytes import START_BYTES, complaint_about
from gmv.operations.correction_file import read_corrections
from tests.events.samples import envelope, line

EVENTS = [envelope(id=str(number)) for number in range(3)]
PLAIN = b"".join(orjson.dumps(event) + b"\n" for event in EVENTS)
TABLE = pa.table({"id": ["a"], "image": [b"x"]})


def arrow(compression: str) -> bytes:
    return pa.compress(PLAIN, codec=compression, asbytes=True)


def parquet() -> bytes:
    out = BytesIO()
    pq.write_table(TABLE, out)
    return out.getvalue()


def feather() -> bytes:
    out = BytesIO()
    with pa.ipc.new_file(out, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return out.getvalue()


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("events.jsonl", PLAIN)
    return out.getvalue()


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE events (line)")
        return connection.serialize()


def in_encoding(encoding: str) -> Callable[[], bytes]:
    return lambda: PLAIN.decode().encode(encoding)


OTHERS: dict[str, Callable[[], bytes]] = {
    "gzip; unpack it first, with gunzip": lambda: gzip.compress(PLAIN),
    "xz; unpack it first, with unxz": lambda: lzma.compress(PLAIN),
    "bzip2; unpack it first, with bunzip2": lambda: bz2.compress(PLAIN),
    "zstd; unpack it first, with unzstd": lambda: arrow("zstd"),
    "a zip archive": zipped,
    "is Parquet; write its rows as JSON": parquet,
    "is an Arrow file": feather,
    "is an SQLite database": database,
    "is UTF-16 text; write it as UTF-8 first: iconv -f UTF-16 -t UTF-8": in_encoding("utf-16"),
    "is UTF-16LE text": in_encoding("utf-16-le"),
    "is UTF-16BE text": in_encoding("utf-16-be"),
    "is UTF-32 text": in_encoding("utf-32"),
    "is UTF-32LE text": in_encoding("utf-32-le"),
    "is UTF-32BE text": in_encoding("utf-32-be"),
    "begins with zeros": lambda: bytes(100) + PLAIN,
    "has JSON objects over several lines; write one event per line": lambda: b"\n".join(
        orjson.dumps(event, option=orjson.OPT_INDENT_2) for event in EVENTS
    ),
    "is a JSON array; write one event per line": lambda: orjson.dumps(EVENTS),
}
LAID_OUT = [
    b"{\r\n\r\n  \"id\": 1\r\n}",
    b'{ "specversion": "1.0",\n  "id": "a" }\n',
    b'{"data": {\n"image": {}}}\n',
    b'{"data":\n\t"text"}\n',
    b"{\n}\n",
]  # fmt: skip
ARRAYS = [b"[\n{}\n]", b"[ {}", b"[{},\n{}]", b" \n[\r\n  {\n"]


@pytest.mark.parametrize("says", OTHERS)
def test_another_format_is_known_by_its_first_bytes_wherever_lines_are_read(says: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(OTHERS[says]())

    for read in (Lines, first_record, describe_file, check_path, lambda path: list(outgoing(path, Telling("/s")))):
        with pytest.raises(EventsRefused) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path} ")
        assert says in str(caught.value)
    with pytest.raises(CorrectionsRefused, match=says.replace("event", "correction").replace(".", r"\.")):
        read_corrections(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\n \n"])
def test_json_laid_out_for_people_is_told(mark: bytes) -> None:
    for start in LAID_OUT:
        assert "over several lines" in (complaint_about(mark + start, "event") or ""), start
    for start in ARRAYS:
        assert "is a JSON array" in (complaint_about(mark + start, "event") or ""), start


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\n",
        b"{",
        b"{broken\n{broken\n",
        line()[:40] + b"\n" + line(),
        b'{"specversion": "1.0",\n' + line(),
        b"{\n" + line(),
        b"[]\n" + line(),
        b"[1,\n" + line(),
        b'"text"\n',
        b"\xff\n" + line(),
        b"\xef\xbb\xbf" + line() + b"\r\n",
    ],
)
def test_lines_of_which_the_first_is_broken_are_lines(start: bytes) -> None:
    """One bad record is a dead letter, and the others are credited."""
    assert complaint_about(start, "event") is None


@given(first=st.binary(max_size=30), changes=st.dictionaries(st.sampled_from(["id", "source"]), st.text(max_size=9)))
def test_what_begins_with_an_event_is_never_refused(first: bytes, changes: dict[str, str]) -> None:
    assert complaint_about((line(**changes) + b"\n" + first)[:START_BYTES], "event") is None


def test_lines_that_were_looked_at_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(PLAIN)
    lines = Lines(path)
    assert [record.value for record in lines.records()] == PLAIN.splitlines()
    lines.close()
