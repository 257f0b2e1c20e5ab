"""What there is to know of a Kafka cluster before a worker joins it; looks, and changes nothing. By kafka-python."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import AuthorizationError, CoordinatorNotAvailableError, KafkaError

from gmv.kafka.access import connection, greet
from gmv.kafka.admin import bounds_of, refusing
from gmv.settings import KafkaSettings

_OFFSETS_TOPIC: Final = "__consumer_offsets"
_NOT_THERE: Final = 3  # UNKNOWN_TOPIC_OR_PARTITION
_NOT_ALLOWED: Final = 29  # TOPIC_AUTHORIZATION_FAILED
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
        members: how many there are.
    """

    is_allowed: bool
    state: str | None
    members: int


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
                return GroupFacts(is_allowed=True, state=None, members=0)
            try:
                found = self._client.describe_groups([name])[name]
            except AuthorizationError:
                return GroupFacts(is_allowed=False, state=None, members=0)
            except CoordinatorNotAvailableError:
                return GroupFacts(is_allowed=True, state=None, members=0)
        may = found["authorized_operations"]
        return GroupFacts(may is None or "READ" in may, found["group_state"], len(found["members"]))

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
