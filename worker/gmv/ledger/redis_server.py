"""One Redis server as the ledger uses it: addressed by a URL, tried for a stated time, and its refusals in words."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from redis import Redis
from redis.backoff import DecorrelatedJitterBackoff, NoBackoff
from redis.commands.core import Script
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004 - Redis's own name for it
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
)
from redis.retry import Retry

from gmv.credentials import names_tls_files, password_of, tls_context, tls_trouble
from gmv.errors import InvalidSettings, LedgerRefused, LedgerUnavailable, Refusal
from gmv.settings import LedgerSettings

T = TypeVar("T")

_ANSWER_SECONDS = 5.0  # the largest commit, 3,900 fields, takes 15 ms
_RETRY_BASE_SECONDS = 0.01
_RETRY_CAP_SECONDS = 1.0

_PASSING: Final = {
    "MISCONF": "its disk refuses writes: make space or mend it",
    "OOM": "raise its maxmemory; its policy must be noeviction, or it would drop the ledger",
    "NOREPLICAS": "too few replicas follow it: bring them back, or lower min-replicas-to-write",
    "READONLY": "it is a replica: give the address of the primary",
    "LOADING": "it is reading its data from disk: wait",
    "BUSY": "a script blocks it: wait, or end it by SCRIPT KILL",
    "NOSCRIPT": "somebody drops its scripts as fast as they are loaded: find who sends SCRIPT FLUSH",
    "MASTERDOWN": "it is a replica that lost its primary: give the address of the primary",
}
"""States of a server that pass or can be mended while a worker waits, by the first word of its error; what to do."""

_REFUSED_IN_SCRIPT: Final = ("The user executing the script", "ACL failure in script")  # NOPERM, as 7.0 and 7.2 say it


class RedisServer:
    """Sends commands to a server until it answers or the time for it is over.

    A command may reach the server more than once: when a connection breaks, nobody knows whether it was applied. So
    every command sent through here must be one whose second application changes nothing.

    Attributes:
        url: of the server.
        client: redis-py's, which tries everything once.
    """

    def __init__(self, settings: LedgerSettings, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self.url = settings.url
        self._retry_seconds = settings.retry_seconds
        self.client = Redis.from_url(
            _checked(settings.url),
            username=settings.username,
            password=password_of(settings, "ledger"),
            **_tls_files(settings),
            socket_timeout=min(answer_seconds, settings.retry_seconds),
            socket_connect_timeout=min(_ANSWER_SECONDS, settings.retry_seconds),
            # redis-py retries connecting and sending one inside the other, by count. Here it is one loop, by time.
            retry=Retry(NoBackoff(), 0),
        )
        self._retry = Retry(
            # Not the exponential one: its 2 ** failures leaves the floats after 1,023 tries, about 17 minutes.
            DecorrelatedJitterBackoff(cap=_RETRY_CAP_SECONDS, base=_RETRY_BASE_SECONDS),
            retries=-1,
            supported_errors=(ConnectionError, TimeoutError, ResponseError),
        )

    def script(self, name: str) -> Script:
        """Return a script of this package; it is sent again whenever the server does not know it."""
        return self.client.register_script(Path(__file__).with_name(name).read_text())

    def read_by(self, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        """Run a script that only reads, in the way that a user who may only read is let through.

        EVALSHA asks for the right to write its keys, whatever the script does; redis-py's `Script` knows no other.
        """

        def run() -> Any:
            try:
                return self.client.evalsha_ro(script.sha, len(keys), *keys, *arguments)
            except NoScriptError:
                self.client.script_load(script.script)
                return self.client.evalsha_ro(script.sha, len(keys), *keys, *arguments)

        return self.attempt(run)

    def call(self, *command: Any) -> Any:
        """Execute a command, its name and arguments, and return the reply as redis-py parses it."""
        execute: Callable[..., Any] = self.client.execute_command
        return self.attempt(lambda: execute(*command))

    def attempt(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, called again while the server is away or in a passing state.

        Raises:
            LedgerUnavailable: the server was away, or in such a state, for all of the retry budget.
            LedgerRefused: it does not let us in, or refuses what we ask.
        """
        deadline = time.monotonic() + self._retry_seconds
        try:
            return self._retry.call_with_retry(
                work,
                self._failed,
                is_retryable=lambda error: _passes(error) and time.monotonic() < deadline,
            )
        except RedisError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, ReadOnlyError):  # after a failover, the name of the primary leads to another server
            self.client.connection_pool.disconnect()

    def _refusal(self, error: RedisError) -> Refusal:
        if trouble := tls_trouble(error, "ledger"):
            return LedgerRefused(f"the ledger's server {self.url}: {trouble}")
        words = f"the ledger's server {self.url} answers {_words(error)!r}"
        if isinstance(error, AuthenticationError | AuthorizationError):
            return LedgerRefused(f"{words}: check ledger.username and the file that ledger.password_file names")
        if isinstance(error, NoPermissionError) or any(each in str(error) for each in _REFUSED_IN_SCRIPT):
            return LedgerRefused(f"{words}: let this user run that command on the ledger's keys")
        if _code(error) in _PASSING:
            return LedgerUnavailable(
                f"{words}, for {self._retry_seconds:g} s now: {_PASSING[_code(error)]}. Nothing is known to be lost"
            )
        if isinstance(error, ConnectionError | TimeoutError):
            return LedgerUnavailable(
                f"the ledger's server {self.url} did not answer within {self._retry_seconds:g} s ({error}); nothing "
                "is known to be lost: start this again when it is back"
            )
        return LedgerRefused(f"{words}: does ledger.url lead to a gmv ledger?")


def _passes(error: Exception) -> bool:
    if not isinstance(error, RedisError) or isinstance(error, AuthenticationError | AuthorizationError):
        return False
    if tls_trouble(error, "ledger"):
        return False
    return isinstance(error, ConnectionError | TimeoutError) or _code(error) in _PASSING


def _words(error: RedisError) -> str:
    """Return the server's error whole; redis-py cuts off the first word where it has a class for it."""
    return f"{error.status_code} {error}" if error.status_code else str(error)


def _code(error: RedisError) -> str:
    return _words(error).split(" ", 1)[0]


def _checked(url: str) -> str:
    """Return the URL if it names a server, and neither a secret nor an option that we do not know.

    Raises:
        InvalidSettings: it does not.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidSettings(
            "ledger.url holds a user or a password, and URLs end in logs: "
            "give them by ledger.username and a file named by ledger.password_file"
        )
    try:
        address = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidSettings(f"ledger.url {url}: {error}; give redis://host:port/database") from error
    if not address[0] or not re.fullmatch(r"/?\d*", parts.path):
        raise InvalidSettings(f"ledger.url {url}: give redis://host:port/database; a database is a number")
    if unknown := parse_qs(parts.query, keep_blank_values=True):
        raise InvalidSettings(
            f"ledger.url {url}: unknown option {min(unknown)!r}; users, passwords and certificates have settings of "
            "their own"
        )
    return url


def _tls_files(settings: LedgerSettings) -> dict[str, str | None]:
    """Return redis-py's names for the files of an encrypted connection, after seeing that they can be used.

    Raises:
        InvalidSettings: one cannot, or the URL is none of an encrypted connection.
    """
    if urlsplit(settings.url).scheme != "rediss":
        if names_tls_files(settings):
            raise InvalidSettings(
                f"ledger.ca_file, ledger.cert_file or ledger.key_file is given, and ledger.url {settings.url} uses "
                "none: make it rediss://…"
            )
        return {}
    tls_context(settings, "ledger")
    files = {"ssl_ca_certs": settings.ca_file, "ssl_certfile": settings.cert_file, "ssl_keyfile": settings.key_file}
    return {name: str(path) if path else None for name, path in files.items()}
