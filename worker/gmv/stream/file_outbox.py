"""Receipts and dead letters as JSON-lines files, for replay."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from gmv.errors import DiskFull, EventsRefused
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition


class FileOutbox:
    """Appends, and returns from `publish` once the bytes are on disk (fsync).

    A line that a crash tore is cut off at the next start: its batch was not committed, or it would be whole.
    """

    def __init__(self, receipts: Path, dead_letters: Path) -> None:
        self._receipts = _open_whole(receipts)
        self._dead_letters = _open_whole(dead_letters)

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """Append both, and sync.

        Raises:
            DiskFull: nothing may be committed.
        """
        _append(self._dead_letters, [_as_json(partition, letter) for letter in dead_letters])
        _append(self._receipts, [receipt.value for receipt in receipts])

    def close(self) -> None:
        """Close both files."""
        self._receipts.close()
        self._dead_letters.close()


def _open_whole(path: Path) -> BinaryIO:
    """Open for appending, after cutting a torn last line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise EventsRefused(f"{path} cannot be written: {error.strerror}") from error
    file.truncate(_whole_bytes(file))
    return file


def _whole_bytes(file: BinaryIO, block_bytes: int = 2**16) -> int:
    """Return the length up to and with the last line end."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - block_bytes)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _append(file: BinaryIO, lines: Sequence[bytes]) -> None:
    if not lines:
        return
    try:
        file.write(b"\n".join(lines) + b"\n")
        os.fsync(file.fileno())
    except OSError as error:
        raise DiskFull(f"{file.name} cannot be written ({error.strerror}); free some space and run again") from error


def _as_json(partition: Partition, letter: DeadLetter) -> bytes:
    record = letter.record
    return orjson.dumps(
        {
            "topic": partition.topic,
            "partition": partition.number,
            "offset": record.offset,
            "reason": letter.poison.reason,
            "detail": letter.poison.detail,
            "key": _base64(record.key),
            "value": _base64(record.value),
            "headers": [[name, _base64(value)] for name, value in record.headers],
        }
    )


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
