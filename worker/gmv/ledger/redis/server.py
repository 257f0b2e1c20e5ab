"""Redis as the ledger uses it: addressed by a URL, tried for a stated time, and its refusals in words."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from hiredis import pack_command
from redis import Redis
from redis.backoff import DecorrelatedJitterBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    ConnectionError,  # noqa: A004 - Redis's own name for it
    MovedError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
    TimeoutError,  # noqa: A004
)
from redis.retry import Retry

from gmv.credentials import password_of, tls_trouble
from gmv.errors import LedgerRefused, LedgerUnavailable, Refusal
from gmv.ledger.redis.address import Address, address_of
from gmv.ledger.redis.other_scheme import other_scheme
from gmv.settings import LedgerSettings

T = TypeVar("T")

Tell = Callable[[str], None]
"""Is told of each failed try that is made again, and why it failed."""

_ANSWER_SECONDS = 5.0  # the largest commit, 3,900 fields, takes 15 ms
_RETRY_BASE_SECONDS = 0.01
_RETRY_CAP_SECONDS = 1.0

_PASSING: Final = {
    "MISCONF": "its disk refuses writes: make space or repair it",
    "OOM": "raise its maxmemory; its policy must be noeviction, or it would drop the ledger",
    "NOREPLICAS": "too few replicas follow it: bring them back, or lower min-replicas-to-write",
    "READONLY": "it is a replica: give the address of the primary",
    "LOADING": "it is reading its data from disk: wait",
    "BUSY": "a script blocks it: wait, or end it by SCRIPT KILL",
    "NOSCRIPT": "somebody drops its scripts as fast as they are loaded: find who sends SCRIPT FLUSH",
    "CLUSTERDOWN": "servers of the cluster are away, and it serves none of its slots meanwhile: bring them back",
    "TRYAGAIN": "slots of the cluster are being moved: wait",
    "MASTERDOWN": "it is a replica that lost its primary: give the address of the primary",
}
"""States of a server that pass or can be repaired while a worker waits, by the first word of its error; what to do."""

_REFUSED_IN_SCRIPT: Final = ("The user executing the script", "ACL failure in script")  # NOPERM, as 7.0 and 7.2 say it


class Script(NamedTuple):
    """A Lua script of this package.

    Attributes:
        text: its source.
        sha: what a server that knows it calls it.
    """

    text: str
    sha: str


def script(name: str) -> Script:
    """Read a script of this package."""
    text = Path(__file__).with_name(name).read_text()
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class RedisServer:
    """Sends commands to a server, or to a cluster, until it answers or the time for it is over.

    A command may reach the server more than once: when a connection breaks, nobody knows whether it was applied. So
    every command sent through here must be one whose second application changes nothing.

    Attributes:
        url: of the server.
    """

    def __init__(
        self, settings: LedgerSettings, answer_seconds: float = _ANSWER_SECONDS, tell: Tell = lambda _: None
    ) -> None:
        self.url = settings.url
        self._address = address_of(settings)
        self._retry_seconds = settings.retry_seconds
        self._connect = _connector(self._address, settings, answer_seconds)
        self._connected: Any = None
        self._tell = tell
        self._retry = Retry(
            # Not the exponential one: its 2 ** failures leaves the floats after 1,023 tries, about 17 minutes.
            DecorrelatedJitterBackoff(cap=_RETRY_CAP_SECONDS, base=_RETRY_BASE_SECONDS),
            retries=-1,
            supported_errors=(ConnectionError, TimeoutError, ResponseError, RedisClusterException),
        )

    @property
    def client(self) -> Any:
        """redis-py's client, which tries everything once. Raises as `attempt`, since a cluster's connects at once."""
        return self.attempt(self._client)

    def run(self, script: Script, key: str, arguments: list[Any], *, reads_only: bool = False) -> Any:
        """Run a script on a key; it is sent again if the server does not know it.

        Args:
            script: of this package.
            key: the one it uses.
            arguments: the others.
            reads_only: EVALSHA asks for the right to write its keys even if a script does not; with this, a user who
                may only read is let through.
        """

        def evaluate() -> Any:
            client = self._client()
            call = client.evalsha_ro if reads_only else client.evalsha
            try:
                return call(script.sha, 1, key, *arguments)
            except NoScriptError:
                client.script_load(script.text)
                return call(script.sha, 1, key, *arguments)

        return self.attempt(evaluate)

    def call(self, *command: Any) -> Any:
        """Execute a command, its name and arguments, and return the reply as redis-py parses it."""
        return self.attempt(lambda: self._client().execute_command(*command))

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
        except (RedisError, RedisClusterException) as error:
            raise self._refusal(_cause(error)) from error

    def close(self) -> None:
        """Close all connections."""
        if self._connected is not None:
            self._connected.close()

    def _client(self) -> Any:
        if self._connected is None:
            self._connected = self._connect()
        return self._connected

    def _failed(self, error: Exception) -> None:
        said = _cause(error)
        repair = _PASSING.get(_code(said))
        self._tell(f"{_words(said)}: {repair}" if repair else _words(said))
        if isinstance(error, RedisClusterException) or type(error) is ClusterError:  # it does not know its way any more
            self.close()
            self._connected = None
        elif isinstance(error, ReadOnlyError) and not self._address.is_cluster:
            # After a failover, the name of the primary leads to another server.
            self._client().connection_pool.disconnect()

    def _refusal(self, error: Exception) -> Refusal:
        if trouble := tls_trouble(error, "ledger"):
            return LedgerRefused(f"the ledger's server {self.url}: {trouble}")
        words = f"the ledger's server {self.url} answers {_words(error)!r}"
        if isinstance(error, AuthenticationError | AuthorizationError):
            return LedgerRefused(f"{words}: check ledger.username and the file that ledger.password_file names")
        if isinstance(error, NoPermissionError) or any(each in str(error) for each in _REFUSED_IN_SCRIPT):
            return LedgerRefused(f"{words}: let this user run that command on the ledger's keys")
        if isinstance(error, MovedError) or "cluster support disabled" in str(error):
            return LedgerRefused(
                f"{words}: redis+cluster:// or rediss+cluster:// is for a cluster, and for nothing but a cluster"
            )
        if _code(error) in _PASSING:
            return LedgerUnavailable(
                f"{words}, for {self._retry_seconds:g} s now: {_PASSING[_code(error)]}. Nothing is known to be lost"
            )
        if _is_away(error):
            if scheme := other_scheme(self._address, error):
                speaks = "speaks no TLS" if self._address.is_encrypted else "speaks TLS"
                return LedgerRefused(
                    f"the ledger's server {self.url} {speaks} at this port: make ledger.url {scheme}://…, or give the "
                    "port that is meant"
                )
            return LedgerUnavailable(
                f"the ledger's server {self.url} did not answer within {self._retry_seconds:g} s ({error}); nothing "
                "is known to be lost: start this again when it is back"
            )
        if "unknown command" in str(error).lower():
            return LedgerRefused(
                f"{words}: gmv needs that command, so take it off rename-command, or off what a proxy keeps back; or "
                "is this a Sentinel, which keeps no data?"
            )
        return LedgerRefused(f"{words}: does ledger.url lead to a gmv ledger?")


def _passes(error: Exception) -> bool:
    error = _cause(error)
    if isinstance(error, AuthenticationError | AuthorizationError) or tls_trouble(error, "ledger"):
        return False
    return _is_away(error) or _code(error) in _PASSING


def _is_away(error: Exception) -> bool:
    return isinstance(error, ConnectionError | TimeoutError | SlotNotCoveredError) or type(error) is ClusterError


def _cause(error: Exception) -> Exception:
    """Return what a server said, where redis-py's cluster client raised an error of its own for it."""
    while isinstance(error, RedisClusterException):
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, RedisError | RedisClusterException):
            break
        error = inner
    return error


def _words(error: Exception) -> str:
    """Return the server's error whole; redis-py cuts off the first word where it has a class for it."""
    code = getattr(error, "status_code", None)
    return f"{code} {error}" if code else str(error)


def _code(error: Exception) -> str:
    return _words(error).split(" ", 1)[0]


def _connector(address: Address, settings: LedgerSettings, answer_seconds: float) -> Callable[[], Any]:
    """Return what makes the client. That of one server connects with its first command."""
    options: dict[str, Any] = {
        "username": settings.username,
        "password": password_of(settings, "ledger"),
        "socket_timeout": min(answer_seconds, settings.retry_seconds),
        "socket_connect_timeout": min(_ANSWER_SECONDS, settings.retry_seconds),
        "protocol": 2,  # the third begins with HELLO, over which some proxies end the connection
    }
    if address.is_encrypted:
        files = {"ssl_ca_certs": settings.ca_file, "ssl_certfile": settings.cert_file, "ssl_keyfile": settings.key_file}
        options |= {name: str(path) if path else None for name, path in files.items()}
    if address.is_cluster:
        from gmv.ledger.redis.cluster import Cluster

        return lambda: Cluster(address.hosts, **options, **({"ssl": True} if address.is_encrypted else {}))
    # redis-py retries connecting and sending one inside the other, by count. Here it is one loop, by time.
    # Without driver_info it does not send CLIENT SETINFO, which our users may not run, so that it fills their ACL LOG.
    options |= {"retry": Retry(NoBackoff(), 0), "command_packer": _Packer(), "driver_info": None}
    return lambda: Redis.from_url(address.url, **options)


class _Packer:
    """Turns commands into bytes as redis-py does, by hiredis, but does not look at each argument before.

    redis-py does, for kinds that are never sent here; without it a commit of 1,000 owners takes a fifth less time.
    """

    def pack(self, *command: Any) -> list[bytes]:
        """Return a command, the words of its name as a part each."""
        return [pack_command((*command[0].encode().split(), *command[1:]))]
