"""Receipts and dead letters in files."""

import base64
import errno
import os
import resource
from pathlib import Path

import orjson
import pytest

from gmv.errors import DiskFull, Poison, Reason
from gmv.files.outbox import FileOutbox, append_whole
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition, Record

PARTITION = Partition("events.jsonl", 0)


async def test_dead_letters_are_byte_identical(tmp_path: Path) -> None:
    record = Record(7, b"\xff\x00{broken", key=None, headers=(("ce_id", b"\xfe"), ("ce_id", b"")))
    outbox = FileOutbox(tmp_path / "new" / "receipts.jsonl", tmp_path / "new" / "dead.jsonl")
    await outbox.publish(PARTITION, [], [DeadLetter(record, Poison(Reason.MALFORMED_JSON, "line 1"))])
    outbox.close()
    written = orjson.loads((tmp_path / "new" / "dead.jsonl").read_bytes())
    assert base64.b64decode(written["value"]) == record.value
    assert written["key"] is None
    assert [(name, base64.b64decode(value)) for name, value in written["headers"]] == list(record.headers)
    assert (written["topic"], written["partition"], written["offset"]) == ("events.jsonl", 0, 7)
    assert (written["reason"], written["detail"]) == ("malformed_json", "line 1")


@pytest.mark.parametrize("torn", [b"", b'{"batch":"1"}\n', b'{"batch":"1"}\n{"bat', b'{"ba', b"x" * 200_000])
async def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(torn)
    outbox = FileOutbox(path, tmp_path / "dead.jsonl")
    await outbox.publish(PARTITION, [SealedReceipt(b"e", b'{"batch":"2"}')], [])
    outbox.close()
    whole = torn[: torn.rfind(b"\n") + 1]
    assert path.read_bytes() == whole + b'{"batch":"2"}\n'


async def test_a_full_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = FileOutbox(tmp_path / "receipts.jsonl", tmp_path / "dead.jsonl")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match=r"receipts.jsonl.*No space"):
        await outbox.publish(PARTITION, [SealedReceipt(b"e", b"{}")], [])


def test_a_disk_that_takes_a_part_only_is_full(tmp_path: Path) -> None:
    """A file may grow to 100 bytes here: the first write of 150 is taken in part, and without an error."""
    path = tmp_path / "receipts.jsonl"
    with path.open("ab", buffering=0) as file:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with pytest.raises(DiskFull, match=r"receipts\.jsonl.*too large"):
                append_whole(file, bytes(150))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size == 100
