"""A real Redis Cluster: primaries that share the slots evenly, without replicas."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.services.certificates import Authority
from tests.services.redis import Fsync, RedisServer
from tests.services.server import HOST, free_port, wait_for

READY_SECONDS = 30.0


class ClusterNode(RedisServer):
    """One primary. It may be killed, mistreated and started again like any server.

    Args:
        appendfsync: see `RedisServer`.
        node_timeout_seconds: silence after which the others take it for dead.
    """

    def __init__(self, appendfsync: Fsync, node_timeout_seconds: float) -> None:
        self.bus_port = free_port()
        options = {
            "--cluster-enabled": "yes",
            "--cluster-port": str(self.bus_port),
            "--cluster-node-timeout": str(round(1_000 * node_timeout_seconds)),
            "--cluster-require-full-coverage": "no",
        }
        super().__init__(appendfsync, [part for option in options.items() for part in option])

    def client(self) -> Redis:
        """A client that tries everything once, and goes nowhere else."""
        return Redis(HOST, self.port, retry=Retry(NoBackoff(), 0))

    def is_ready(self) -> bool:
        """Tell whether it has read its append-only file."""
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


class SecureClusterNode(ClusterNode):
    """One that speaks TLS alone, to clients and to the others, who are all known by `authority`."""

    def __init__(self, appendfsync: Fsync, node_timeout_seconds: float, authority: Authority) -> None:
        super().__init__(appendfsync, node_timeout_seconds)
        self._authority = authority
        self._certificate = authority.issue(f"node-{self.port}", HOST)

    def command(self) -> list[str]:
        """Nothing listens in the clear."""
        return [
            *super().command(),
            *("--port", "0", "--tls-port", str(self.port), "--tls-cluster", "yes"),
            *("--tls-cert-file", str(self._certificate.file), "--tls-key-file", str(self._certificate.key)),
            *("--tls-ca-cert-file", str(self._authority.file)),
        ]

    def client(self) -> Redis:
        """A client with the node's own certificate."""
        return Redis(
            HOST,
            self.port,
            ssl=True,
            ssl_ca_certs=str(self._authority.file),
            ssl_certfile=str(self._certificate.file),
            ssl_keyfile=str(self._certificate.key),
            retry=Retry(NoBackoff(), 0),
        )


class RedisCluster:
    """Primaries on loopback; `with` starts them and makes them one cluster, then kills them and deletes their folders.

    Args:
        primaries: how many.
        appendfsync: of each.
        node_timeout_seconds: of each.
        authority: of their certificates; None is without TLS.
    """

    def __init__(
        self,
        primaries: int = 3,
        appendfsync: Fsync = "everysec",
        node_timeout_seconds: float = 5.0,
        authority: Authority | None = None,
    ) -> None:
        self._scheme = "rediss+cluster" if authority else "redis+cluster"
        self.nodes: list[ClusterNode] = [
            SecureClusterNode(appendfsync, node_timeout_seconds, authority)
            if authority
            else ClusterNode(appendfsync, node_timeout_seconds)
            for _ in range(primaries)
        ]
        self._started = ExitStack()

    @property
    def url(self) -> str:
        """Two of its servers; the others are found by asking these."""
        return f"{self._scheme}://{','.join(node.address for node in self.nodes[:2])}"

    def node_of(self, key: str) -> ClusterNode:
        """Return the primary that a key lives on."""
        return self.nodes[key_slot(key.encode()) * len(self.nodes) // REDIS_CLUSTER_HASH_SLOTS]

    def __enter__(self) -> Self:
        with self._started:
            for node in self.nodes:
                self._started.enter_context(node)
            self._join()
            self._started = self._started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.__exit__(kind, error, trace)

    def wait_until_ready(self) -> None:
        """Return when every primary knows that all slots are served."""
        wait_for(lambda: all(_is_whole(node, len(self.nodes)) for node in self.nodes), READY_SECONDS, "the cluster")

    def _join(self) -> None:
        first, count = self.nodes[0], len(self.nodes)
        for number, node in enumerate(self.nodes):
            start, end = (-(-each * REDIS_CLUSTER_HASH_SLOTS // count) for each in (number, number + 1))
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", start, end - 1)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                client.execute_command("CLUSTER MEET", HOST, first.port, first.bus_port)
        self.wait_until_ready()


def _is_whole(node: ClusterNode, primaries: int) -> bool:
    with node.client() as client:
        told = client.execute_command("CLUSTER INFO")
    info = told if isinstance(told, dict) else {}
    return (
        info.get("cluster_state") == "ok"
        and int(info.get("cluster_known_nodes", 0)) == primaries
        and int(info.get("cluster_slots_ok", 0)) == REDIS_CLUSTER_HASH_SLOTS
    )
