"""The receipts of a topic: read, and those of corrections added to them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from uuid import UUID

from gmv.events.cloudevents import JSON_CONTENT
from gmv.events.encoding import KafkaMessage
from gmv.events.headers import CONTENT_TYPE
from gmv.kafka.emitter import Emitter
from gmv.kafka.reading import records_in_topic
from gmv.ledger.position import Position
from gmv.operations.correcting import Publish
from gmv.operations.published import Published
from gmv.settings import KafkaSettings
from gmv.stream.ports import SealedReceipt


def receipts_in_topic(kafka: KafkaSettings, topic: str) -> Iterator[Published]:
    """Yield all records of a topic of receipts. Raises as `records_in_topic`."""
    for record in records_in_topic(kafka, topic):
        yield Published(f"{topic}/{record.partition}/{record.offset}", record.value or b"", record.timestamp)


def receipt_headers(receipt: SealedReceipt) -> list[tuple[str, bytes]]:
    """Return the headers of a receipt's record."""
    traced = receipt.trace.headers().items() if receipt.trace else ()
    return [(CONTENT_TYPE, JSON_CONTENT.encode()), *traced]


def receipts_topics(kafka: KafkaSettings, positions: Mapping[tuple[str, int], Position]) -> list[str]:
    """Return the topics of receipts of all topics that a ledger knows; that of `kafka.topic`, if it does, first."""
    topics = {topic for (topic, _), position in positions.items() if _is_topic_id(position.topic_id)}
    in_order = sorted(topics, key=lambda topic: (topic != kafka.topic, topic))
    return [kafka.model_copy(update={"topic": topic}).receipts_topic for topic in in_order]


def _is_topic_id(text: str) -> bool:
    """Return whether it is an id as brokers give it to a topic."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@contextmanager
def publishing_to(kafka: KafkaSettings, topic: str) -> Iterator[Publish]:
    """Give what publishes receipts of corrections: it returns once all in-sync replicas have acknowledged them.

    What a crash left there is no harm: it is the same again, or its batch is one that the ledger never confirms.

    Raises:
        LogUnavailable: no broker answers, there is no such topic, or a receipt was not acknowledged.
        LogRefused: this user may not write there.
        EventsRefused: a receipt is larger than the topic takes.
    """
    with closing(Emitter(kafka.model_copy(update={"topic": topic}))) as emitter:

        def publish(receipts: Sequence[SealedReceipt]) -> None:
            for receipt in receipts:
                emitter.send(
                    f"correction {receipt.key.decode()}",
                    KafkaMessage(receipt.key, receipt.value, receipt_headers(receipt)),
                )
            emitter.finish()

        yield publish
