"""A file of events as a log."""

import os
from itertools import islice
from pathlib import Path
from threading import Thread

import pytest

from gmv.errors import EventsRefused
from gmv.files import lines
from gmv.files.lines import read_records
from gmv.files.log import JsonLinesLog, partition_of
from gmv.stream.records import Bounds


def written(folder: Path, content: bytes) -> Path:
    path = folder / "events.jsonl"
    path.write_bytes(content)
    return path


async def read_all(log: JsonLinesLog) -> list[tuple[int, bytes | None]]:
    found: list[tuple[int, bytes | None]] = []
    while runs := await log.read():
        found += [(record.offset, record.value) for run in runs for record in run.records]
    return found


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n", b"\n "])
async def test_lines_are_records_and_their_numbers_offsets(tmp_path: Path, end: bytes) -> None:
    path = written(tmp_path, b'{"a":1}\n\n  {"b":2} ' + end)
    log = JsonLinesLog(path, run_records_max=10)
    assert await read_all(log) == [(0, b'{"a":1}'), (2, b'  {"b":2} ')]
    assert log.complaint_about_end is None


@pytest.mark.parametrize(
    ("begun", "rest"), [(b'{"n":1', b"}\n"), (b'{"n":1}', b"\n"), (b'{"n":1}\r', b"\n"), (b"", b'{"n":1}\n')]
)
@pytest.mark.parametrize("run_records_max", [1, 10])
async def test_a_line_is_read_once_it_has_its_end_and_then_whole(
    tmp_path: Path, begun: bytes, rest: bytes, run_records_max: int
) -> None:
    path = written(tmp_path, b'{"n":0}\n' + begun)
    log = JsonLinesLog(path, run_records_max)
    assert await read_all(log) == [(0, b'{"n":0}')]
    assert await read_all(log) == []
    with path.open("ab") as file:
        file.write(rest + b'{"n":2}\n')
    assert await read_all(log) == [(1, b'{"n":1}'), (2, b'{"n":2}')]


async def test_seeking_stays_before_a_line_without_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, b"0\n1")
    log = JsonLinesLog(path, run_records_max=10)
    log.seek(partition_of(path), 2)
    written(tmp_path, b"0\n1\n2\n")
    assert await read_all(log) == [(1, b"1"), (2, b"2")]


async def test_a_last_line_without_its_end_is_reported_with_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, b"0\n\n2\n3")
    log = JsonLinesLog(path, run_records_max=10)
    await read_all(log)
    assert f"line 4 of {path} has no end" in (log.complaint_about_end or "")
    log.seek(partition_of(path), 0)
    assert log.complaint_about_end is None, "of the last read alone"
    assert [record.offset for record in islice(read_records(path), 2)] == [0, 2]
    with pytest.raises(EventsRefused, match=r"line 4 of .* has no end"):
        list(read_records(path))
    with path.open("ab") as file:
        file.write(b"\n")
    await read_all(log)
    assert log.complaint_about_end is None
    assert [record.value for record in read_records(path)] == [b"0", b"2", b"3"]


def test_a_pipe_is_read_to_a_last_line_without_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "events"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"0\n1",))
    writer.start()
    records = read_records(pipe)
    assert next(records).value == b"0"
    with pytest.raises(EventsRefused, match=r"line 2 of .* has no end"):
        next(records)
    writer.join()


async def test_runs_are_bounded_and_consecutive(tmp_path: Path) -> None:
    log = JsonLinesLog(written(tmp_path, b"".join(b"%d\n" % line for line in range(7))), run_records_max=3)
    sizes = []
    while runs := await log.read():
        sizes.append([record.offset for record in runs[0].records])
    assert sizes == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("offset", [0, 1, 3, 5])
async def test_seeks_to_any_line_forwards_and_backwards(tmp_path: Path, offset: int) -> None:
    path = written(tmp_path, b"".join(b"%d\n" % line for line in range(5)))
    log = JsonLinesLog(path, run_records_max=2)
    await read_all(log)
    log.seek(partition_of(path), offset)
    assert await read_all(log) == [(line, b"%d" % line) for line in range(offset, 5)]


@pytest.mark.parametrize(("content", "end"), [(b"", 0), (b"a", 0), (b"a\n", 1), (b"a\nb", 1), (b"a\n\n", 2)])
async def test_bounds_count_lines_that_have_their_end(tmp_path: Path, content: bytes, end: int) -> None:
    path = written(tmp_path, content)
    partition = partition_of(path)
    assert await JsonLinesLog(path, 1).bounds([partition]) == {partition: Bounds(0, end)}


async def test_identity_survives_growth_and_tells_another_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"\nfirst\n")
    identity = await JsonLinesLog(path, 1).topic_id()
    assert identity == await JsonLinesLog(written(tmp_path, b"first\nsecond\n"), 1).topic_id()
    assert identity != await JsonLinesLog(written(tmp_path, b"other\n"), 1).topic_id()


async def test_what_cannot_be_a_log_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EventsRefused, match=r"missing\.jsonl"):
        JsonLinesLog(tmp_path / "missing.jsonl", 1)
    with pytest.raises(EventsRefused, match="empty"):
        await JsonLinesLog(written(tmp_path, b"\n\n"), 1).topic_id()
    with pytest.raises(EventsRefused, match=r"line 2 of .* has no end"):
        await JsonLinesLog(written(tmp_path, b"\nfirst"), 1).topic_id()
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 8)
    with pytest.raises(EventsRefused, match=r"events\.jsonl:2"):
        await JsonLinesLog(written(tmp_path, b"short\nmuch longer\n"), 10).read()
