"""Dead letters back into a file of events."""

import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

from gmv.errors import EventsRefused
from gmv.files.outbox import append_whole, sync
from gmv.operations.redriving import Destination
from gmv.stream.dead_letters import FoundDeadLetter


class FileOfEvents(Destination):
    """A `Destination`: appends the record's value as a line. A file that has grown is the same log to a replay.

    Lines have no headers, so nothing in the file says which of them were there before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Self:
        """Open the file, and end its last line where nobody has.

        Raises:
            EventsRefused: it is not there, or cannot be written.
        """
        try:
            if not self._path.exists():  # appending would make it
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._file = self._path.open("a+b", buffering=0)
        except OSError as error:
            raise EventsRefused(f"{self._path}: {error.strerror}; give the file of events to append to") from error
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                append_whole(self._file, b"\n")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @override
    async def send(self, dead_letter: FoundDeadLetter) -> None:
        """Append a line.

        Raises:
            DiskFull: it was not written whole.
        """
        append_whole(self._file, (dead_letter.record.value or b"") + b"\n")

    @override
    async def finish(self) -> None:
        """Return once the file is on disk."""
        sync(self._file)
