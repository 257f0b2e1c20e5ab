"""A real Redis with an append-only file, and a real Valkey in its place."""

from collections.abc import Sequence
from typing import Literal

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.services.server import HOST, Server, find_program
from tests.services.valkey import find_valkey

Fsync = Literal["always", "everysec", "no"]


class RedisServer(Server):
    """One redis-server that keeps what it acknowledged, however it ends.

    Args:
        appendfsync: when the append-only file goes to the disk. "always" is what the guide asks for in production.
        options: more of redis-server's own, such as `["--maxmemory", "10mb"]`.
    """

    def __init__(self, appendfsync: Fsync = "always", options: Sequence[str] = ()) -> None:
        super().__init__()
        self._appendfsync = appendfsync
        self._options = options

    @property
    def url(self) -> str:
        """Database 0 of this server."""
        return f"redis://{self.address}/0"

    def program(self) -> str:
        """Return the path of the server."""
        return find_program("redis-server")

    def command(self) -> list[str]:
        """Without snapshots: what is found after a kill was in the append-only file."""
        return [
            self.program(),
            *("--port", str(self.port), "--bind", HOST, "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", self._appendfsync, "--save", ""),
            *self._options,
        ]

    def is_ready(self) -> bool:
        """Tell whether it has read its append-only file."""
        with Redis(HOST, self.port, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


class ValkeyServer(RedisServer):
    """One valkey-server, under the same promises."""

    def program(self) -> str:
        """Return the path of the server."""
        return find_valkey()


class Sentinel(RedisServer):
    """One that watches a primary and keeps no data."""

    def __init__(self, primary: RedisServer) -> None:
        super().__init__()
        (self.folder / "sentinel.conf").write_text(f"sentinel monitor mymaster {HOST} {primary.port} 1\n")

    def command(self) -> list[str]:
        """It writes what it learns into its own file of settings."""
        file = str(self.folder / "sentinel.conf")
        return [self.program(), file, "--sentinel", "--port", str(self.port), "--bind", HOST]
