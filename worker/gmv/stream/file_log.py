"""A file of events as a log: one partition, a record per line, and the line's number as its offset."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from gmv.errors import EventsRefused
from gmv.stream.records import Bounds, Partition, Record, Run

LINE_BYTES_MAX = 64 * 2**20
_CHUNK_BYTES = 2**20


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file.

    Raises:
        EventsRefused: it cannot be opened, or a line is longer than `LINE_BYTES_MAX`.
    """
    try:
        with path.open("rb") as file:
            yield from (Record(number, line) for number, line in enumerate(_lines(file, path)) if line.strip())
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give a JSON-lines file of events") from error


def partition_of(path: Path) -> Partition:
    """Return the one partition a file is; its topic is the file's name."""
    return Partition(path.name, 0)


class JsonLinesLog:
    """Reads a JSON-lines file in constant memory. Blank lines are no records, but count as offsets.

    The log's identity is a digest of its first record, so a file may grow, and a file that was replaced under the
    same name is told from the one the ledger knows.
    """

    def __init__(self, path: Path, run_records_max: int) -> None:
        self._path = path
        self._partition = partition_of(path)
        self._run_records_max = run_records_max
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise EventsRefused(f"{path}: {error.strerror}; give a JSON-lines file of events") from error
        self._next_line = 0

    async def topic_id(self) -> str:
        """Return `first-record:` and 32 hex digits.

        Raises:
            EventsRefused: the file holds no record.
        """
        with self._path.open("rb") as file:
            first = next((line for line in _lines(file, self._path) if line.strip()), None)
        if first is None:
            raise EventsRefused(f"{self._path} is empty; it should hold one event per line")
        return "first-record:" + hashlib.blake2b(first, digest_size=16).hexdigest()

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Count the file's lines, about 1 GB/s."""
        ends, last = 0, b"\n"
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                ends += chunk.count(b"\n")
                last = chunk[-1:]
        return dict.fromkeys(partitions, Bounds(0, ends + (last != b"\n")))

    def seek(self, partition: Partition, offset: int) -> None:
        """Let the next `read` begin at that line."""
        self._file.seek(0)
        self._next_line = 0
        while self._next_line < offset and self._file.readline(LINE_BYTES_MAX + 1):
            self._next_line += 1

    async def read(self) -> list[Run]:
        """Return the next lines as one run; empty at the end of the file.

        Raises:
            EventsRefused: a line is longer than `LINE_BYTES_MAX`.
        """
        records: list[Record] = []
        for line in _lines(self._file, self._path, self._next_line):
            if line.strip():
                records.append(Record(self._next_line, line))
            self._next_line += 1
            if len(records) == self._run_records_max:
                break
        return [Run(self._partition, tuple(records))] if records else []

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lines(file: BinaryIO, path: Path, first_number: int = 0) -> Iterator[bytes]:
    """Yield lines without their end, from where the file stands."""
    number = first_number
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise EventsRefused(
                f"{path}:{number}: the line is longer than {LINE_BYTES_MAX:,} bytes; is this JSON lines?"
            )
        yield line.rstrip(b"\r\n")
