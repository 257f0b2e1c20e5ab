"""The lines of a file of events, read in constant memory."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from gmv.errors import EventsRefused
from gmv.first_bytes import START_BYTES, complaint_about
from gmv.stream.records import Record

LINE_BYTES_MAX: Final = 64 * 2**20
_CHUNK_BYTES: Final = 2**20


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file that nobody is writing.

    Raises:
        EventsRefused: it cannot be read, is no JSON lines, or a line has no end or is longer than `LINE_BYTES_MAX`.
    """
    with closing(Lines(path)) as lines:
        yield from lines.records()
        if complaint := lines.complaint_about_end:
            raise EventsRefused(complaint)


def first_record(path: Path) -> Record:
    """Return the first record of a file.

    Raises:
        EventsRefused: the file holds no record, or is no JSON lines.
    """
    with closing(Lines(path)) as lines:
        first = next(lines.records(), None)
        if first is None:
            empty = f"{path} is empty; it should hold one event per line"
            raise EventsRefused(lines.complaint_about_end or empty)
    return first


def count_lines(path: Path) -> int:
    """Count the ends of a file's lines, about 1 GB/s."""
    ends = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            ends += chunk.count(b"\n")
    return ends


class Lines:
    """The lines of a file that have their end, one after the other.

    A line is a record once a newline ends it. What comes after the last newline may still be being written, and read
    now it would be lost: its beginning as a dead letter, and the rest of that line below the position.

    A file that is no JSON lines by its first bytes is refused at once.

    Attributes:
        number: lines that were passed, so that of the next, counted from 0.
        complaint_about_end: why the last `next` stayed before a line that is not blank, and what to do.
    """

    def __init__(self, path: Path) -> None:
        self.number = 0
        self.complaint_about_end: str | None = None
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error
        self._refuse_other_formats()

    def records(self) -> Iterator[Record]:
        """Yield what is left of them, but for blank ones."""
        while (line := self.next()) is not None:
            if line.strip():
                yield Record(self.number - 1, line.rstrip(b"\r\n"))

    def next(self) -> bytes | None:
        """Return a line; None at the end of the file, or where the last line has no end, so that it is read again."""
        line = self._read_line()
        is_whole = line.endswith(b"\n")
        self.complaint_about_end = None if is_whole or not line.strip() else self._unfinished()
        if is_whole:
            self.number += 1
            return line
        if self._file.seekable():  # a pipe is not, and is read once
            self._file.seek(-len(line), os.SEEK_CUR)
        return None

    def rewind(self) -> None:
        """Go back to the first."""
        self._file.seek(0)
        self.number = 0
        self.complaint_about_end = None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _refuse_other_formats(self) -> None:
        try:
            start = self._file.peek(START_BYTES)
        except OSError as error:
            raise self._unreadable(error) from error
        if complaint := complaint_about(start[:START_BYTES], "event"):
            self._file.close()
            raise EventsRefused(f"{self._path} {complaint}")

    def _read_line(self) -> bytes:
        try:
            line = self._file.readline(LINE_BYTES_MAX + 1)
        except OSError as error:
            raise self._unreadable(error) from error
        if len(line) > LINE_BYTES_MAX:
            raise EventsRefused(
                f"{self._path}:{self.number + 1}: the line is longer than {LINE_BYTES_MAX:,} bytes; is this JSON lines?"
            )
        return line

    def _unfinished(self) -> str:
        return (
            f"line {self.number + 1} of {self._path} has no end: it is still being written, or was cut off; end it "
            "with a newline and run again"
        )

    def _unreadable(self, error: OSError) -> EventsRefused:
        return EventsRefused(f"{self._path}: {error.strerror}; give a JSON-lines file of events")
