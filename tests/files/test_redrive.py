"""Dead letters appended to a file of events."""

import asyncio
from pathlib import Path

import pytest

from gmv.errors import DiskFull, EventsRefused
from gmv.files.redrive import FileOfEvents
from tests.operations.dead_letters import dead_letter


def append(path: Path, *values: bytes) -> None:
    async def run() -> None:
        async with FileOfEvents(path) as events:
            for offset, value in enumerate(values):
                await events.send(dead_letter(offset, value=value))
            await events.finish()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b"a\nb\n"), (b"x\n", b"x\na\nb\n"), (b"x", b"x\na\nb\n"), (b"\n", b"\na\nb\n"), (b"x\ny", b"x\ny\na\nb\n")],
)
def test_lines_are_added_after_whole_lines(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(before)
    append(path, b"a", b"b")
    assert path.read_bytes() == after


@pytest.mark.parametrize(("name", "why"), [("events.jsonl", "No such file"), (".", "Is a directory")])
def test_no_file_is_made(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(EventsRefused, match=f"{why}.*; give the file of events"):
        append(tmp_path / name, b"a")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported() -> None:
    with pytest.raises(DiskFull, match=r"/dev/full cannot be written \(No space"):
        append(Path("/dev/full"), b"a")
