"""What tests of the Redis ledger do with a server behind the ledger's back."""

from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.services.redis import RedisServer


def client(server: RedisServer, **login: Any) -> Redis:
    """A client that tries everything once."""
    return Redis(port=server.port, retry=Retry(NoBackoff(), 0), **login)


def log_of(server: RedisServer) -> Path:
    """The append-only file that is written to."""
    return next((server.folder / "appendonlydir").glob("*.incr.aof"))


def commands_logged(server: RedisServer) -> bytes:
    """All bytes of the append-only files written so far."""
    return b"".join(file.read_bytes() for file in sorted((server.folder / "appendonlydir").glob("*.aof")))
