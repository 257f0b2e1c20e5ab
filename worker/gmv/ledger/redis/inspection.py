"""What there is to know of a ledger's Redis beside the ledger; looks, and changes nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import NoPermissionError, ResponseError

from gmv.ledger.redis.address import is_cluster_url
from gmv.ledger.redis.keys import book_key
from gmv.ledger.redis.server import RedisServer
from gmv.settings import LedgerSettings

COMMANDS: Final = ("info", "config|get", "time", "acl|whoami", "acl|dryrun")
"""What a Redis user must be allowed to run, besides what a reader is, for all of this to be seen."""

_CONFIGS: Final = ("appendfsync", "maxmemory-policy")

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One Redis server. What this user may not look at is None, or left out of the mappings.

    Attributes:
        info: the fields of INFO.
        configs: of `appendfsync` and `maxmemory-policy`.
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
        refused: of the commands asked about, those it may not run.
        allowed: the others; both are empty where we may not ask.
    """

    name: str | None
    refused: tuple[Command, ...]
    allowed: tuple[Command, ...]


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
            return UserFacts(None, (), ())
        refused: list[Command] = []
        allowed: list[Command] = []
        for command in commands:
            words = tuple(command.split("|"))
            said = self._asked("ACL DRYRUN", name, *words, *self._arguments(command), node=node)
            if said is None:
                return UserFacts(None, (), ())
            (allowed if _text(said) == "OK" else refused).append(words)
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
        """Return the answer, or None where this user, or this version of Redis, does not allow the question."""
        execute: Callable[..., Any] = self._server.client.execute_command
        where = {} if node is None else {"target_nodes": node}

        def ask() -> Any:
            try:
                return execute(*command, **where)
            except (NoPermissionError, ResponseError) as error:
                if isinstance(error, NoPermissionError) or "unknown" in str(error).lower():
                    return None
                raise

        return self._server.attempt(ask)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
