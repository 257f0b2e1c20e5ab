"""A real Kafka broker: one node that is its own controller (KRaft), run from the jars of `make services`."""

import base64
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from tests.services.jars import JARS
from tests.services.patience import patience
from tests.services.server import HOST, Server, ServerError, find_program, free_port

HEAP_MIB = 512


class KafkaBroker(Server):
    """One broker without replicas. It makes no topics by itself, and no consumer group waits for its first members.

    Args:
        settings: more of the broker's own, such as `{"message.max.bytes": "2000000"}`.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._controller_port = free_port()
        self._write_properties(settings or {})

    @property
    def _properties_path(self) -> Path:
        return self.folder / "server.properties"

    def _write_properties(self, settings: Mapping[str, str]) -> None:
        controller = f"{HOST}:{self._controller_port}"
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",  # a test of a frozen worker need not wait the usual 6 s
            # After a kill the controller takes the broker back only when the session it had is over: 9 s by default.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            **settings,
        }
        self._properties_path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))

    def _java(self, *arguments: str) -> list[str]:
        if not any(JARS.glob("kafka_*.jar")):
            raise ServerError(f"Kafka is not in {JARS}; run `make services`")
        return [find_program("java"), f"-Xmx{HEAP_MIB}m", "-cp", f"{JARS}/*", *arguments]

    def start(self, *, wait: bool = True) -> Self:
        """Give the folder a cluster id before the first start; see `Server.start`."""
        if not (self.folder / "data").exists():
            self._format()
        return super().start(wait=wait)

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With "=", since one id in 64 begins with a dash.
        tool: tuple[str, ...] = (
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster_id}",
            "-c",
            str(self._properties_path),
        )
        tool += tuple(self.format_options())
        done = subprocess.run(self._java(*tool), capture_output=True, text=True)
        if done.returncode:
            raise ServerError(f"Kafka could not format its folder:\n{done.stdout}{done.stderr}")

    def format_options(self) -> Sequence[str]:
        """Return more of what StorageTool is told, such as users that are there from the start."""
        return ()

    def command(self) -> list[str]:
        """One JVM; its log goes to stderr through slf4j-simple."""
        return self._java("kafka.Kafka", str(self._properties_path))

    def is_ready(self) -> bool:
        """Tell whether the controller lets the broker serve: it lists no broker before."""
        try:
            with self.admin() as admin:
                return len(admin.describe_cluster()["brokers"]) == 1
        except KafkaError:
            return False

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Give a client for topics, groups and offsets."""
        client = KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=int(patience(10) * 1_000))
        try:
            yield client
        finally:
            client.close()

    def create_topic(self, name: str, partitions: int, **configs: str) -> None:
        """Create a topic, and return when the broker knows it.

        Args:
            name: of the topic.
            partitions: how many.
            configs: of the topic, with `_` for the dot: `max_message_bytes="5000"`.
        """
        named = {key.replace("_", "."): value for key, value in configs.items()}
        with self.admin() as admin:
            admin.create_topics([NewTopic(name, partitions, 1, topic_configs=named)], wait_for_metadata=True)
