"""Receipts and dead letters as JSON-lines files, for replay."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from typing_extensions import override

from gmv.errors import DiskFull, EventsRefused
from gmv.files.dead_letters import dead_letter_line
from gmv.stream.ports import DeadLetter, Outbox, SealedReceipt
from gmv.stream.records import Partition


class FileOutbox(Outbox):
    """Appends, and returns from `publish` once the bytes are on disk (fsync).

    A line that a crash tore is cut off at the next start: its batch was not committed, or it would be whole.
    """

    def __init__(self, receipts: Path, dead_letters: Path) -> None:
        self._receipts = open_whole(receipts)
        self._dead_letters = open_whole(dead_letters)

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """Append both, and sync.

        Raises:
            DiskFull: nothing may be committed.
        """
        append_lines(self._dead_letters, [dead_letter_line(partition, dead_letter) for dead_letter in dead_letters])
        append_lines(self._receipts, [receipt.value for receipt in receipts])

    def close(self) -> None:
        """Close both files."""
        self._receipts.close()
        self._dead_letters.close()


def open_whole(path: Path) -> BinaryIO:
    """Open for appending, after cutting a torn last line; a file made here is in its folder for good.

    Raises:
        EventsRefused: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise EventsRefused(f"{path} cannot be written: {error.strerror}") from error
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
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


def append_whole(file: BinaryIO, content: bytes) -> None:
    """Write all of it to a file without a buffer: where a disk fills up, the system takes a part and says so.

    Raises:
        DiskFull: it was not written whole.
    """
    left = memoryview(content)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise DiskFull(f"{file.name} cannot be written ({error.strerror}); free some space and run again") from error


def sync(file: BinaryIO) -> None:
    """Return once all that was written is on disk.

    Raises:
        DiskFull: it is not.
    """
    try:
        os.fsync(file.fileno())
    except OSError as error:
        raise DiskFull(f"{file.name} cannot be written ({error.strerror}); free some space and run again") from error


def append_lines(file: BinaryIO, lines: Sequence[bytes]) -> None:
    """Append lines, and return once they are on disk. Raises as `append_whole`."""
    if lines:
        append_whole(file, b"\n".join(lines) + b"\n")
        sync(file)
