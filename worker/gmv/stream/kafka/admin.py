"""What has to be known of a topic and cannot be asked through the consumer: its id, its bounds. By kafka-python."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from gmv.errors import LogUnavailable
from gmv.settings import KafkaSettings
from gmv.stream.records import Bounds


@contextmanager
def refusing(kafka: KafkaSettings) -> Iterator[None]:
    """Turn kafka-python's errors into `LogUnavailable`."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise LogUnavailable(topic_missing(kafka)) from error
    except KafkaError as error:
        raise LogUnavailable(
            f"Kafka at {kafka.brokers} does not answer ({error}); check kafka.brokers and that a broker is up"
        ) from error


def topic_missing(kafka: KafkaSettings) -> str:
    """Say that the topic is not there, and what to do."""
    return (
        f"topic {kafka.topic!r} does not exist at {kafka.brokers}; create it with the partitions you want (gmv never "
        "creates topics by itself), or set kafka.topic"
    )


class TopicAdmin:
    """Looks at one topic. Blocking; every method raises `LogUnavailable` if no broker answers or there is no topic."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        with refusing(kafka):
            self._client = KafkaAdminClient(
                bootstrap_servers=kafka.brokers.split(","),
                bootstrap_timeout_ms=int(kafka.retry_seconds * 1_000),
                request_timeout_ms=int(kafka.retry_seconds * 1_000),
            )

    def topic_id(self) -> str:
        """Return the id the brokers gave the topic when it was created."""
        return str(self._describe()["topic_id"])

    def bounds(self) -> dict[int, Bounds]:
        """Return the offsets each partition holds now."""
        partitions = [
            TopicPartition(self._kafka.topic, partition["partition_index"])
            for partition in self._describe()["partitions"]
        ]
        with refusing(self._kafka):
            starts = self._client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
            ends = self._client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        return {p.partition: Bounds(starts[p].offset, ends[p].offset) for p in partitions}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> "TopicAdmin":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _describe(self) -> dict[str, Any]:
        with refusing(self._kafka):
            topic: dict[str, Any]
            (topic,) = self._client.describe_topics([self._kafka.topic])
        if topic["error_code"]:
            raise LogUnavailable(topic_missing(self._kafka))
        return topic
