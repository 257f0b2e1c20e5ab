"""What has to be known of a topic and cannot be asked through the consumer: its id, its bounds. By kafka-python."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from gmv.errors import LogUnavailable
from gmv.kafka.access import SessionLimits, connection, denied, greet
from gmv.kafka.silence import no_answer
from gmv.settings import KafkaSettings
from gmv.stream.records import Bounds, LogDescription

_RECONNECT_MS_MAX: Final = 1_000
"""Between two tries to connect. By default it grows to 30 s, in which nothing was credited though brokers were up."""


def session_limits(client: KafkaAdminClient) -> SessionLimits | None:
    """Ask a broker, since all of a cluster should have the same; None where this user may not know."""
    names = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")
    try:
        broker = str(client.describe_cluster()["brokers"][0]["broker_id"])
        resource = ConfigResource(ConfigResourceType.BROKER, broker)
        configs = client.describe_configs([resource], config_filter="all")["broker"][broker]
        return SessionLimits(*(int(configs[name]["value"]) / 1_000 for name in names))
    except (KafkaError, LookupError, TypeError, ValueError):  # managed clusters refuse it in ways of their own
        return None


@contextmanager
def refusing(kafka: KafkaSettings) -> Iterator[None]:
    """Turn kafka-python's errors into `LogUnavailable`, and into `LogRefused` those that do not pass by waiting."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise LogUnavailable(_missing(kafka, kafka.topic)) from error
    except KafkaError as error:
        # The second: where an idempotent producer is refused its id, kafka-python says it in the text only.
        if isinstance(error, AuthorizationError) or "AuthorizationFailed" in str(error):
            raise denied(kafka, error) from error
        raise no_answer(kafka, error) from error


def _missing(kafka: KafkaSettings, topic: str) -> str:
    return (
        f"topic {topic!r} does not exist at {kafka.brokers}; `gmv topics create` makes the topics that are missing "
        "(no other command does), or set kafka.topic"
    )


@dataclass(frozen=True, slots=True)
class Holder:
    """A static member of a group.

    Attributes:
        member_id: given by the group, another with each time that it joins.
        host: where it is.
    """

    member_id: str
    host: str


def bounds_of(client: KafkaAdminClient, partitions: Collection[TopicPartition], isolation: str) -> dict[int, Bounds]:
    """Return the bounds of partitions of one topic, by number.

    The high watermarks are asked for first: what is committed meanwhile does not look like an open transaction.
    """
    latest = dict.fromkeys(partitions, OffsetSpec.LATEST)
    starts = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    highs = client.list_partition_offsets(latest)
    ends = client.list_partition_offsets(latest, isolation)
    return {
        each.partition: Bounds(starts[each].offset, ends[each].offset, max(0, highs[each].offset - ends[each].offset))
        for each in partitions
    }


class TopicAdmin:
    """Looks at one topic. Blocking.

    Every method raises `LogUnavailable` if no broker answers or there is no topic, and `LogRefused` if this user may
    not know.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        greet(kafka)
        with refusing(kafka):
            self._client = KafkaAdminClient(
                **connection(kafka),
                bootstrap_timeout_ms=int(kafka.retry_seconds * 1_000),
                request_timeout_ms=int(kafka.retry_seconds * 1_000),
                reconnect_backoff_max_ms=_RECONNECT_MS_MAX,
            )

    def topic_id(self) -> str:
        """Return the id the brokers gave the topic when it was created."""
        return str(self._describe(self._kafka.topic)["topic_id"])

    def require_topics(self) -> None:
        """See that the topics of events, receipts and dead letters are all there."""
        for topic in (self._kafka.topic, self._kafka.receipts_topic, self._kafka.dead_letters_topic):
            self._describe(topic)

    def bounds(self) -> dict[int, Bounds]:
        """Return the offsets each partition holds now; as `kafka.isolation` says, those before any open transaction.

        A worker compares its position with that end, and one past it would be refused.
        """
        partitions = [
            TopicPartition(self._kafka.topic, partition["partition_index"])
            for partition in self._describe(self._kafka.topic)["partitions"]
        ]
        with refusing(self._kafka):
            return bounds_of(self._client, partitions, self._kafka.isolation)

    def session_limits(self) -> SessionLimits | None:
        """Return how long brokers let members of a group be silent, None where they do not tell this user."""
        return session_limits(self._client)

    def holder(self, instance_id: str) -> Holder | None:
        """Return which member of the group has that `group.instance.id`, None where none has."""
        with refusing(self._kafka):
            members = self._client.describe_groups([self._kafka.group])[self._kafka.group]["members"]
        holders = [each for each in members if each["group_instance_id"] == instance_id]
        return Holder(holders[0]["member_id"], holders[0]["client_host"].lstrip("/")) if holders else None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _describe(self, topic: str) -> dict[str, Any]:
        with refusing(self._kafka):
            found: dict[str, Any]
            (found,) = self._client.describe_topics([topic])
        if found["error_code"] == TopicAuthorizationFailedError.errno:
            raise denied(self._kafka, TopicAuthorizationFailedError(topic))
        if found["error_code"]:
            raise LogUnavailable(_missing(self._kafka, topic))
        return found


def describe_topic(kafka: KafkaSettings) -> LogDescription:
    """Describe a Kafka topic.

    Raises:
        LogUnavailable: the brokers do not answer, or the topic does not exist.
    """
    with closing(TopicAdmin(kafka)) as admin:
        return LogDescription(kafka.topic, admin.topic_id(), admin.bounds())
