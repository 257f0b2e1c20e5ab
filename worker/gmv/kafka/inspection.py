"""What there is to know of a Kafka cluster before a worker joins it; looks, and changes nothing. By kafka-python."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import AuthorizationError, CoordinatorNotAvailableError, KafkaError

from gmv.kafka.access import CLIENT_ID, SessionLimits, connection, greet
from gmv.kafka.admin import bounds_of, refusing, session_limits
from gmv.settings import KafkaSettings

CLASSIC: Final = "classic"

Looked = TypeVar("Looked")

_OFFSETS_TOPIC: Final = "__consumer_offsets"
_NOT_THERE: Final = 3  # UNKNOWN_TOPIC_OR_PARTITION
_NOT_ALLOWED: Final = 29  # TOPIC_AUTHORIZATION_FAILED
_UNKNOWN: Final = "Dead"  # what a group is called that is not there, or not of the protocol that was asked about
_POLL_MILLISECONDS: Final = 3_000


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """One partition.

    Attributes:
        start: offset of the oldest record kept.
        end: offset of the next record, or of the first of an open transaction, as `kafka.isolation` says.
        replicas: how many copies there should be.
        in_sync: how many are up to date.
        unstable_records: how many offsets lie beyond that first record of an open transaction, with its own.
    """

    start: int
    end: int
    replicas: int
    in_sync: int
    unstable_records: int = 0

    @property
    def high_watermark(self) -> int:
        """After the newest record."""
        return self.end + self.unstable_records


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic.

    Attributes:
        name: of the topic.
        is_visible: whether we may see it, if it exists.
        topic_id: given by the brokers; None where there is no such topic.
        partitions: by number; empty where there is no such topic.
        configs: all of them, defaults too; None where we may not look.
        may: operations we are allowed, in capitals; None where brokers do not say.
        newest_ms: time of the newest record, as its producer or broker gave it; None for an empty topic.
    """

    name: str
    is_visible: bool
    topic_id: str | None
    partitions: Mapping[int, PartitionFacts]
    configs: Mapping[str, str] | None
    may: frozenset[str] | None
    newest_ms: int | None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A consumer group.

    Attributes:
        is_allowed: whether we may be a member.
        state: in Kafka's words; None where it is not known.
        members: how many there are; 0 in a group of another protocol, which does not say.
        strangers: those of them that are no workers of gmv, by client id and host.
        protocol: in Kafka's words; workers are members of a "classic" group.
    """

    is_allowed: bool
    state: str | None = None
    members: int = 0
    strangers: tuple[str, ...] = ()
    protocol: str = CLASSIC


def is_worker(member: Mapping[str, Any]) -> bool:
    """Return whether a member of a group, as Kafka describes it, calls itself as workers do."""
    return member["client_id"] in (CLIENT_ID, member["group_instance_id"])


class KafkaInspector:
    """Asks a cluster. Blocking; every method raises as `TopicAdmin`'s do."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        greet(kafka)
        wait_ms = int(kafka.retry_seconds * 1_000)
        self._options = connection(kafka) | {"bootstrap_timeout_ms": wait_ms, "request_timeout_ms": wait_ms}
        with refusing(kafka):
            self._client = KafkaAdminClient(**self._options)

    def brokers(self) -> list[str]:
        """Return the addresses that the brokers advertise; asks one of them at its own."""
        with refusing(self._kafka):
            return [f"{broker['host']}:{broker['port']}" for broker in self._client.describe_cluster()["brokers"]]

    def topic(self, name: str) -> TopicFacts:
        """Describe a topic."""
        with refusing(self._kafka):
            found: dict[str, Any]
            (found,) = self._client.describe_topics([name])
            if found["error_code"]:
                return TopicFacts(name, found["error_code"] != _NOT_ALLOWED, None, {}, None, None, None)
            numbers = [TopicPartition(name, each["partition_index"]) for each in found["partitions"]]
            bounds = bounds_of(self._client, numbers, self._kafka.isolation)
            newest = self._client.list_partition_offsets(dict.fromkeys(numbers, OffsetSpec.MAX_TIMESTAMP))
            partitions = {
                each["partition_index"]: PartitionFacts(
                    start=bounds[each["partition_index"]].start,
                    end=bounds[each["partition_index"]].end,
                    replicas=len(each["replica_nodes"]),
                    in_sync=len(each["isr_nodes"]),
                    unstable_records=bounds[each["partition_index"]].unstable_records,
                )
                for each in found["partitions"]
            }
        may = found["authorized_operations"]
        times = [each.timestamp for each in newest.values() if each.timestamp >= 0]
        return TopicFacts(
            name=name,
            is_visible=True,
            topic_id=str(found["topic_id"]),
            partitions=partitions,
            configs=self._configs(name),
            may=None if may is None else frozenset(may),
            newest_ms=max(times, default=None),
        )

    def group(self, name: str) -> GroupFacts:
        """Describe a consumer group, unless that alone would make brokers create the topic they keep groups in."""
        with refusing(self._kafka):
            (offsets,) = self._client.describe_topics([_OFFSETS_TOPIC])
            if offsets["error_code"] == _NOT_THERE:
                return GroupFacts(is_allowed=True)
            try:
                found = self._client.describe_groups([name])[name]
            except AuthorizationError:
                return GroupFacts(is_allowed=False)
            except CoordinatorNotAvailableError:
                return GroupFacts(is_allowed=True)
            if found["group_state"] == _UNKNOWN:
                return self._group_of_another_protocol(name)
        may, members = found["authorized_operations"], found["members"]
        return GroupFacts(
            is_allowed=may is None or "READ" in may,
            state=found["group_state"],
            members=len(members),
            strangers=tuple(f"{each['client_id']} at {each['client_host']}" for each in members if not is_worker(each)),
        )

    def _group_of_another_protocol(self, name: str) -> GroupFacts:
        """Look among all groups, where brokers since 3.8 say the protocol of each: a group like that is not described.

        Raises:
            KafkaError: a broker did not answer.
        """
        for group in self._client.list_groups():
            if group["group_id"] == name and (protocol := group.get("group_type") or CLASSIC) != CLASSIC:
                return GroupFacts(is_allowed=True, state=group["group_state"], protocol=protocol)
        return GroupFacts(is_allowed=True)

    def newest(
        self, topic: TopicFacts, records_max: int, looked_at: Callable[[ConsumerRecord], Looked]
    ) -> list[Looked] | None:
        """Look at newest records of a topic, as many of each partition. No two fetches are in memory together.

        Args:
            topic: as `topic` describes it.
            records_max: about how many.
            looked_at: gives what is wanted of a record.

        Returns:
            What that gave, None where this user may not read the topic.
        """
        share = max(1, records_max // max(1, len(topic.partitions)))
        begins = {
            TopicPartition(topic.name, number): max(held.start, held.end - share)
            for number, held in topic.partitions.items()
            if held.start < held.end
        }
        found: list[Looked] = []
        with refusing(self._kafka):
            consumer = KafkaConsumer(**self._options, enable_auto_commit=False, isolation_level=self._kafka.isolation)
            with closing(consumer):
                try:
                    for partition, begin in begins.items():
                        end = topic.partitions[partition.partition].end
                        consumer.assign([partition])
                        consumer.seek(partition, begin)
                        while consumer.position(partition) < end and (
                            polled := consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=share)
                        ):
                            found += map(looked_at, polled[partition])
                except AuthorizationError:
                    return None
        return found

    def session_limits(self) -> SessionLimits | None:
        """Return how long brokers let members of a group be silent, None where they do not tell this user."""
        return session_limits(self._client)

    def times(self, topic: str, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return the times, in milliseconds, of the records at these offsets, for those that can be read."""
        found: dict[int, int] = {}
        with refusing(self._kafka):
            consumer = KafkaConsumer(**self._options, enable_auto_commit=False, max_poll_records=1)
            try:
                for number, offset in offsets.items():
                    partition = TopicPartition(topic, number)
                    consumer.assign([partition])
                    consumer.seek(partition, offset)
                    for records in consumer.poll(timeout_ms=_POLL_MILLISECONDS).values():
                        found[number] = records[0].timestamp
            except AuthorizationError:
                return {}
            finally:
                consumer.close()
        return found

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _configs(self, name: str) -> Mapping[str, str] | None:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        try:
            configs = self._client.describe_configs([resource], config_filter="all")["topic"][name]
        except KafkaError:  # managed clusters refuse it in ways of their own
            return None
        return {key: each["value"] for key, each in configs.items()} or None
