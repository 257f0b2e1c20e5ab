"""A Redis Cluster as the ledger uses it: redis-py's client, which follows slots from one server to another."""

from typing import Any, Final

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.retry import Retry

COMMANDS: Final = ("cluster|slots", "command", "asking")
"""What any Redis user must be allowed to run besides, for redis-py to find its way; the last while slots move."""


class Cluster(RedisCluster):
    """Connects when it is made. Tries everything once, but for being sent on to another server."""

    def __init__(self, hosts: tuple[tuple[str, int], ...], **options: Any) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in hosts],  # type: ignore[no-untyped-call]
            retry=Retry(NoBackoff(), 0),
            require_full_coverage=False,  # books on the servers that are there go on
            **options,
        )

    def determine_slot(self, *command: Any) -> int | None:
        """Know where EVALSHA_RO has its key, as redis-py does of EVALSHA; it would ask a server, each time."""
        if command[0].upper() == "EVALSHA_RO":
            return key_slot(str(command[3]).encode())
        slot: int | None = super().determine_slot(*command)
        return slot

    def load_for(self, key: str, script: str) -> None:
        """Load a script where a key is; `script_load` fails as soon as any server is away."""
        self.execute_command("SCRIPT LOAD", script, target_nodes=self.get_node_from_key(key))  # type: ignore[no-untyped-call]
