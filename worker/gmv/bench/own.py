"""What a bench has of its own on servers that others use, too: names that nobody else has, and how they go again."""

import uuid
from contextlib import closing
from typing import Final

from gmv.ledger.redis.server import RedisServer
from gmv.settings import LedgerSettings

OWN_PREFIX: Final = "gmv-bench-"
"""Of every namespace, topic and group that a bench makes."""


def own_name() -> str:
    """Return a name that nobody has."""
    return f"{OWN_PREFIX}{uuid.uuid4().hex[:8]}"


def remove(settings: LedgerSettings, key: str) -> None:
    """Delete a key from the ledger's server, with the rights by which the ledger was made."""
    with closing(RedisServer(settings)) as server:
        server.call("UNLINK", key)
