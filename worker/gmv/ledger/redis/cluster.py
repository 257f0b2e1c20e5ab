"""A Redis Cluster as the ledger uses it: redis-py's client, which follows slots from one server to another."""

from contextlib import suppress
from typing import Any, Final

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - Redis's own names for them
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
            driver_info=None,  # it would look up its own version for each server, 6 ms, to send them
            **options,
        )

    def determine_slot(self, *command: Any) -> int | None:
        """Know where EVALSHA_RO has its key, as redis-py does of EVALSHA; it would ask a server, each time."""
        if command[0].upper() == "EVALSHA_RO":
            return int(self.keyslot(command[3]))  # type: ignore[no-untyped-call]
        slot: int | None = super().determine_slot(*command)
        return slot

    def script_load(self, script: Any) -> Any:
        """Load a script on each primary that is there, since a key that is being moved can be on either of two.

        redis-py's own fails where any is away.
        """
        for node in self.get_primaries():  # type: ignore[no-untyped-call]
            with suppress(ConnectionError, TimeoutError):
                self.execute_command("SCRIPT LOAD", script, target_nodes=node)  # type: ignore[no-untyped-call]
