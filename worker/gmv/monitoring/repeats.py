"""Lines of libraries that say the same again and again: a client of a server that is away writes dozens a second."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from typing_extensions import override

REPEAT_SECONDS: Final = 30.0

_Place = tuple[str, int, str, int]
"""Logger, level, file and line: what comes from one place says one thing, of whichever node and with whatever error.
Of our own lines, which name partitions and offsets, the text in place of the file."""


class _Line(NamedTuple):
    """What is kept of a line: its record would keep the frames of a traceback."""

    logger: str
    level: int
    text: str
    unix_time: float


@dataclass(slots=True)
class _Kind:
    """Lines from one place.

    Attributes:
        written_at: when the last one was written, monotonic.
        newest: of those that were held back since.
        count: how many these are.
    """

    written_at: float
    newest: _Line | None = field(default=None)
    count: int = 0


class Repeats(logging.Filter):
    """A filter of a handler: of the lines from one place it lets one pass in 30 s, and counts the others.

    The next one to pass says how many were held back before it, as `more_like_this`. Where none comes, that is said of
    the newest of them once another line is written, or at the end, with `last_seen`, the time at which it was to be.

    Of our own lines only those are limited that say the very same, and none of structlog's, which come once each.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kinds: dict[_Place, _Kind] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the line now."""
        if hasattr(record, "more_like_this"):
            return True
        with self._lock:
            now = self._monotonic()
            passes = isinstance(record.msg, dict) or self._passes(record, now)
            left = self._left(now) if passes else []
        for each, count in left:
            _say_again(each, count)
        return passes

    def say_rest(self) -> None:
        """Write what was held back and is not said yet; for the end of a process."""
        with self._lock:
            left = self._left(self._monotonic(), after_seconds=0.0)
        for each, count in left:
            _say_again(each, count)

    def _passes(self, record: logging.LogRecord, now: float) -> bool:
        place = _place(record)
        kind = self._kinds.get(place)
        if kind is not None and now - kind.written_at < REPEAT_SECONDS:
            kind.newest = _Line(record.name, record.levelno, record.getMessage(), record.created)
            kind.count += 1
            return False
        if kind is not None and kind.count:
            record.more_like_this = kind.count
        self._kinds[place] = _Kind(now)
        return True

    def _left(self, now: float, after_seconds: float = REPEAT_SECONDS) -> list[tuple[_Line, int]]:
        """Return, and forget, what was held back of kinds of which nothing was written for long."""
        left = []
        for place, kind in list(self._kinds.items()):
            if now - kind.written_at < after_seconds:
                continue
            if kind.newest is None:
                del self._kinds[place]
            else:
                left.append((kind.newest, kind.count))
                kind.written_at, kind.newest, kind.count = now, None, 0
        return left


def _place(record: logging.LogRecord) -> _Place:
    if record.name.partition(".")[0] == "gmv":
        return record.name, record.levelno, record.getMessage(), 0
    return record.name, record.levelno, record.pathname, record.lineno


def _say_again(line: _Line, count: int) -> None:
    last_seen = datetime.fromtimestamp(line.unix_time, UTC).isoformat()
    fields = {"more_like_this": count - 1, "last_seen": last_seen}
    logging.getLogger(line.logger).log(line.level, "%s", line.text, extra=fields)
