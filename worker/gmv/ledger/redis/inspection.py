"""What there is to know of a ledger's Redis beside the ledger; looks, and changes nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from redis.exceptions import ResponseError

from gmv.errors import LedgerRefused
from gmv.ledger.redis.address import is_cluster_url
from gmv.ledger.redis.keys import book_key
from gmv.ledger.redis.server import RedisServer
from gmv.settings import LedgerSettings

COMMANDS: Final = ("info", "config|get", "time", "acl|whoami", "acl|dryrun")
"""What a Redis user must be allowed to run, besides what a reader is, for all of this to be seen."""

_CONFIGS: Final = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One Redis server. What it does not tell this user is None, or left out of the mappings.

    Attributes:
        info: the fields of INFO.
        configs: of `appendonly`, `appendfsync`, `maxmemory` and `maxmemory-policy`.
        clock_ahead_seconds: by how much its clock is ahead of this machine's, within half a round trip.
    """

    info: Mapping[str, Any] | None
    configs: Mapping[str, str]
    clock_ahead_seconds: float | None


@dataclass(frozen=True, slots=True)
class UserFacts:
    """What a user may run.

    Attributes:
        name: of the user; None where we may not ask.
        refused: of the commands asked about, those it may not run, or nobody, since the server lacks them.
        allowed: the others; both are empty where we may not ask.
        exists: whether there is such a user.
    """

    name: str | None
    refused: tuple[Command, ...] = ()
    allowed: tuple[Command, ...] = ()
    exists: bool = True


class RedisInspector:
    """Asks a server. Blocking; raises as `RedisServer` does, but for what the user may not look at."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._server = RedisServer(settings)
        self._is_cluster = is_cluster_url(settings.url)
        self._book = book_key(settings.namespace, 0)

    def servers(self) -> dict[str, ServerFacts]:
        """Describe the server or, by their addresses, all primaries of a cluster."""
        return {name: self._described(node) for name, node in self._nodes().items()}

    def user(self, commands: Sequence[str], user: str | None = None) -> UserFacts:
        """Return what a user may run on the ledger, without running it.

        Args:
            commands: as an ACL spells them, such as "script|load".
            user: whose rights; None is who we are.
        """
        node = next(iter(self._nodes().values()))
        name = user or _text(self._asked("ACL WHOAMI", node=node))
        if not name:
            return UserFacts(None)
        refused: list[Command] = []
        allowed: list[Command] = []
        for command in commands:
            words = tuple(command.split("|"))
            match self._dry_run(name, *words, *self._arguments(command), node=node):
                case "nobody":
                    return UserFacts(name, exists=False)
                case "unknown":
                    return UserFacts(None)
                case "allowed":
                    allowed.append(words)
                case _:
                    refused.append(words)
        return UserFacts(name, tuple(refused), tuple(allowed))

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def _nodes(self) -> dict[str, Any]:
        """Return what each server is asked by; a client of one server needs no more than itself."""
        return {node.name: node for node in self._server.client.get_primaries()} if self._is_cluster else {"": None}

    def _described(self, node: Any) -> ServerFacts:
        configs = {name: self._asked("CONFIG GET", name, node=node) for name in _CONFIGS}
        return ServerFacts(
            info=self._asked("INFO", node=node),
            configs={name: _text(next(iter(config.values()))) for name, config in configs.items() if config},
            clock_ahead_seconds=self._clock_ahead_seconds(node),
        )

    def _arguments(self, command: str) -> tuple[str, ...]:
        """Return arguments of a plausible call on the first book."""
        match command:
            case "evalsha" | "evalsha_ro":
                return ("0" * 40, "1", self._book)
            case "script|load":
                return ("return 1",)
            case "hset" | "hsetnx":
                return (self._book, "field", "value")
            case "config|set":
                return ("save", "")
            case "cluster|slots" | "command" | "asking" | "flushall":
                return ()
            case "select":
                return ("0",)
            case "keys":
                return ("*",)
            case "hlen" | "del":
                return (self._book,)
            case _:
                return (self._book, "field")

    def _clock_ahead_seconds(self, node: Any) -> float | None:
        asked = time.time()
        server_time = self._asked("TIME", node=node)
        if server_time is None:
            return None
        seconds, microseconds = server_time
        return float(seconds) + float(microseconds) / 1e6 - (asked + time.time()) / 2

    def _asked(self, *command: str, node: Any) -> Any:
        """Return the answer, or None where there is none.

        Whatever the server says against the question is taken for that: users may not ask it, older versions do not
        know it, `rename-command` takes it away, and proxies and managed servers refuse it, each in words of its own.
        """
        try:
            return self._attempt(*command, node=node)
        except LedgerRefused as refusal:
            if isinstance(refusal.__cause__, ResponseError):
                return None
            raise

    def _dry_run(self, user: str, *command: str, node: Any) -> Literal["allowed", "refused", "nobody", "unknown"]:
        """Ask whether a user may run a command; "nobody" is where there is no such user."""
        try:
            said = self._attempt("ACL DRYRUN", user, *command, node=node)
        except LedgerRefused as refusal:
            match str(refusal.__cause__).lower().split():
                case ["user", *_, "not", "found"]:
                    return "nobody"
                case ["command", *_, "not", "found"]:  # a version without it, or `rename-command`
                    return "refused"
            if isinstance(refusal.__cause__, ResponseError):
                return "unknown"
            raise
        return "allowed" if _text(said) == "OK" else "refused"

    def _attempt(self, *command: str, node: Any) -> Any:
        execute: Callable[..., Any] = self._server.client.execute_command
        where = {} if node is None else {"target_nodes": node}
        return self._server.attempt(lambda: execute(*command, **where))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
