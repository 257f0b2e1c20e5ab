"""The receipts of a topic."""

from collections.abc import Iterator

from gmv.kafka.reading import records_in_topic
from gmv.operations.published import Published
from gmv.settings import KafkaSettings


def receipts_in_topic(kafka: KafkaSettings, topic: str) -> Iterator[Published]:
    """Yield all records of a topic of receipts. Raises as `records_in_topic`."""
    for record in records_in_topic(kafka, topic):
        yield Published(f"{topic}/{record.partition}/{record.offset}", record.value or b"")
