"""What a ledger has to know of a log before it can be initialised for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gmv.ledger.position import Position
from gmv.settings import KafkaSettings
from gmv.stream.records import Bounds


@dataclass(frozen=True, slots=True)
class LogDescription:
    """A log as it stands now.

    Attributes:
        topic: its name.
        topic_id: its identity.
        bounds: per partition number.
    """

    topic: str
    topic_id: str
    bounds: Mapping[int, Bounds]

    def starts(self) -> dict[int, Position]:
        """Return the position of each partition's first record."""
        return {number: Position(self.topic_id, bounds.start) for number, bounds in self.bounds.items()}


def describe_file(path: Path) -> LogDescription:
    """Describe a JSON-lines file of events.

    Raises:
        EventsRefused: the file is missing or empty, or its first line has no end.
    """
    from gmv.stream.file_log import JsonLinesLog, partition_of

    log = JsonLinesLog(path, run_records_max=1)
    try:
        partition = partition_of(path)
        bounds = asyncio.run(log.bounds([partition]))
        return LogDescription(partition.topic, asyncio.run(log.topic_id()), {partition.number: bounds[partition]})
    finally:
        log.close()


def describe_topic(kafka: KafkaSettings) -> LogDescription:
    """Describe a Kafka topic.

    Raises:
        LogUnavailable: the brokers do not answer, or the topic does not exist.
    """
    from gmv.stream.kafka.admin import TopicAdmin

    with TopicAdmin(kafka) as admin:
        return LogDescription(kafka.topic, admin.topic_id(), admin.bounds())
