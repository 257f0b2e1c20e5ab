"""The receipts of a topic."""

from collections.abc import Iterator

from gmv.settings import KafkaSettings
from gmv.stream.kafka.reading import records_in_topic


def receipts_in_topic(kafka: KafkaSettings, topic: str) -> Iterator[bytes]:
    """Yield the values of all records of a topic of receipts. Raises as `records_in_topic`."""
    return (record.value for record in records_in_topic(kafka, topic))
