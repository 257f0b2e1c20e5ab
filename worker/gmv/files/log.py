"""A file of events as a log: one partition, a record per line, and the line's number as its offset."""

import hashlib
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Final

from typing_extensions import override

from gmv.files.lines import Lines, count_lines, first_record
from gmv.stream.ports import Log
from gmv.stream.records import Bounds, LogDescription, Partition, Run

IDENTITY_PREFIX: Final = "first-record:"
"""Of the identity of a log that is a file of events."""


def partition_of(path: Path) -> Partition:
    """Return the one partition a file is; its topic is the file's name."""
    return Partition(path.name, 0)


def identity_of(path: Path) -> str:
    """Return `first-record:` and 32 hex digits.

    A digest of the first record: a file may grow, and one that was replaced under the same name is not taken for the
    one that the ledger knows.

    Raises:
        EventsRefused: the file holds no record.
    """
    return IDENTITY_PREFIX + hashlib.blake2b(first_record(path).value or b"", digest_size=16).hexdigest()


def describe_file(path: Path) -> LogDescription:
    """Describe a JSON-lines file of events.

    Raises:
        EventsRefused: the file is missing, empty or no JSON lines, or its first line has no end.
    """
    partition = partition_of(path)
    return LogDescription(partition.topic, identity_of(path), {partition.number: Bounds(0, count_lines(path))})


class JsonLinesLog(Log):
    """The `Log` of a JSON-lines file, in constant memory. Blank lines are no records, but count as offsets."""

    def __init__(self, path: Path, run_records_max: int) -> None:
        self._path = path
        self._partition = partition_of(path)
        self._run_records_max = run_records_max
        self._lines = Lines(path)

    @property
    def complaint_about_end(self) -> str | None:
        """Why the last `read` stayed before a last line that is not blank, and what to do; None where it did not."""
        return self._lines.complaint_about_end

    @override
    async def topic_id(self) -> str:
        """Return what `identity_of` returns. Raises as it does."""
        return identity_of(self._path)

    @override
    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Return 0 and the number of lines that have their end."""
        return dict.fromkeys(partitions, Bounds(0, count_lines(self._path)))

    @override
    def seek(self, partition: Partition, offset: int) -> None:
        """Let the next `read` begin at that line.

        Raises:
            EventsRefused: a line before it is longer than `LINE_BYTES_MAX`.
        """
        self._lines.rewind()
        while self._lines.number < offset and self._lines.next() is not None:
            pass

    @override
    async def read(self) -> list[Run]:
        """Return the next lines as one run; empty at the end of the file, and before a last line without its end.

        Raises:
            EventsRefused: a line is longer than `LINE_BYTES_MAX`.
        """
        records = tuple(islice(self._lines.records(), self._run_records_max))
        return [Run(self._partition, records)] if records else []

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
