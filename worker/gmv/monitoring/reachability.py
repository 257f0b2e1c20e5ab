"""Whether a server answers: said once when it stops answering, now and then while it is away, and once when it is back.

Clients try again for as long as settings say, so that an outage shorter than that would be seen nowhere.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from gmv.errors import LedgerUnavailable, LogUnavailable, Refusal

PATIENCE_SECONDS: Final = 2.0
"""For so long a server may be silent before that is said: a restart, or a connection that was cut, is no outage."""

REMINDER_SECONDS: Final = 30.0


class Logger(Protocol):
    """The part of a structlog logger that is used."""

    def debug(self, event: str, **fields: Any) -> Any:
        """Write a line for who looks for a fault."""

    def info(self, event: str, **fields: Any) -> Any:
        """Write a line."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Write a line that somebody should look at."""


class Reachability:
    """Of one server, or one cluster of them, that is asked one thing at a time. Told by any thread; decides nothing.

    Time is monotonic, for logs and probes alone; Unix time only names the moment.
    """

    def __init__(
        self,
        server: str,
        address: str,
        log: Logger,
        monotonic: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """Take who is watched.

        Args:
            server: such as "Kafka".
            address: without passwords.
            log: where it is said.
            monotonic: clock of intervals.
            unix_time: clock of moments.
        """
        self._server = server
        self._address = address
        self._log = log
        self._monotonic = monotonic
        self._unix_time = unix_time
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._failed_since: float | None = None
        self._why = "it does not answer"
        self._said_at: float | None = None

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Watch a question: what it raises says whether the server was there."""
        with self._lock:
            self._asked_at = self._monotonic()
        try:
            yield
        except (LedgerUnavailable, LogUnavailable) as error:
            self.failed(str(error))
            raise
        except Refusal:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            self._asked_at = None

    def failed(self, why: str) -> None:
        """Take note that a try failed, which may be made again."""
        self._log.debug("server_failed", server=self._server, address=self._address, why=why)
        with self._lock:
            if self._failed_since is None:
                self._failed_since = self._monotonic() if self._asked_at is None else self._asked_at
            self._why = why
        self.look()

    def look(self) -> None:
        """Say that the server is away, where it is and that is due. Call it about every second."""
        with self._lock:
            now, silent_seconds = self._monotonic(), self._silent_seconds()
            is_due = self._said_at is None or now - self._said_at >= REMINDER_SECONDS
            if silent_seconds < PATIENCE_SECONDS or not is_due:
                return
            self._said_at = now
        since = self._moment(silent_seconds)
        self._say(self._log.warning, "server_away", since=since, away_seconds=round(silent_seconds, 1), why=self._why)

    def complaint(self) -> str | None:
        """Return what a probe says of the server, None where it answers."""
        with self._lock:
            silent_seconds = self._silent_seconds()
        if silent_seconds < PATIENCE_SECONDS:
            return None
        since = f"since {self._moment(silent_seconds)}, for {silent_seconds:.0f} s"
        return f"{self._server} at {self._address} has not served this worker {since}: {self._why}"

    def _answered(self) -> None:
        with self._lock:
            silent_seconds, was_said = self._silent_seconds(), self._said_at is not None
            self._failed_since = self._said_at = None
            self._why = "it does not answer"
        if was_said:
            self._say(self._log.info, "server_back", away_seconds=round(silent_seconds, 1))

    def _silent_seconds(self) -> float:
        """How long the oldest question has been open that got no answer; 0 where all were answered."""
        since = self._asked_at if self._failed_since is None else self._failed_since
        return 0.0 if since is None else self._monotonic() - since

    def _moment(self, seconds_ago: float) -> str:
        return datetime.fromtimestamp(self._unix_time() - seconds_ago, UTC).isoformat(timespec="seconds")

    def _say(self, write: Callable[..., Any], event: str, **fields: Any) -> None:
        write(event, server=self._server, address=self._address, **fields)
