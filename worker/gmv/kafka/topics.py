"""The three topics gmv works with: how they should be made, and their making, by request only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import (
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationFactorError,
    InvalidTopicError,
    PolicyViolationError,
    TopicAlreadyExistsError,
)

from gmv.errors import InvalidSettings
from gmv.kafka.access import connection, greet
from gmv.kafka.admin import refusing
from gmv.settings import Settings

BROKERS_DEFAULT: Final = -1  # as many replicas as the brokers make by themselves
DEAD_LETTER_HEADERS_BYTES: Final = 64 * 2**10
"""Room for the headers that a dead letter has besides those of its record."""

_UNACCEPTABLE: Final = (
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationFactorError,
    InvalidTopicError,
    PolicyViolationError,
)

_MILLISECONDS_PER_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """How one topic is to be.

    Attributes:
        name: of the topic.
        partitions: as many as workers can share it.
        configs: Kafka's own, by name.
    """

    name: str
    partitions: int
    configs: Mapping[str, str]


def planned(settings: Settings, partitions: int, retention_days: float) -> tuple[Topic, ...]:
    """Return how the topics of events, receipts and dead letters should be.

    Nothing is compacted: two events with one key are two events. Receipts and dead letters are kept for good, since
    they explain the ledger and what was left out of it. They bear the broker's time: it would refuse those of a worker
    whose clock is more than an hour ahead, which then could credit nothing.

    Args:
        settings: which topics, and how large an image may be.
        partitions: of events and receipts.
        retention_days: how long events are kept, which is how long workers may be away.
    """
    kept = {"cleanup.policy": "delete"}
    for_good = kept | {"retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime"}
    event_bytes = settings.images.record_bytes_max
    events = kept | {
        "retention.ms": str(int(retention_days * _MILLISECONDS_PER_DAY)),
        "retention.bytes": "-1",
        "max.message.bytes": str(event_bytes),
    }
    dead_letters = for_good | {"max.message.bytes": str(event_bytes + DEAD_LETTER_HEADERS_BYTES)}
    return (
        Topic(settings.kafka.topic, partitions, events),
        Topic(settings.kafka.receipts_topic, partitions, for_good),
        Topic(settings.kafka.dead_letters_topic, 1, dead_letters),
    )


def create_missing(settings: Settings, topics: Sequence[Topic], replication: int = BROKERS_DEFAULT) -> tuple[str, ...]:
    """Create those of the topics that are not there; those that are stay as they are.

    Args:
        settings: which brokers, and who we are.
        topics: as `planned` returned them.
        replication: replicas of each.

    Returns:
        The names of those that were created.

    Raises:
        InvalidSettings: no such topic can be, such as one with more replicas than brokers.
        LogUnavailable: the brokers do not answer.
        LogRefused: this user may not.
    """
    kafka, created = settings.kafka, []
    greet(kafka)
    wait_ms = int(kafka.retry_seconds * 1_000)
    with refusing(kafka):
        client = KafkaAdminClient(**connection(kafka), bootstrap_timeout_ms=wait_ms, request_timeout_ms=wait_ms)
    try:
        for topic in topics:
            asked = {"num_partitions": topic.partitions, "replication_factor": replication, "configs": topic.configs}
            with refusing(kafka):
                try:
                    client.create_topics({topic.name: asked})
                except TopicAlreadyExistsError:
                    continue
                except _UNACCEPTABLE as error:
                    raise InvalidSettings(
                        f"Kafka at {kafka.brokers} does not make a topic {topic.name!r} like that: {error}"
                    ) from error
            created.append(topic.name)
    finally:
        client.close()
    return tuple(created)
