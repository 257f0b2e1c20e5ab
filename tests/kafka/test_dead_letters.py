"""Dead letters as Kafka records: read back as they were, whichever headers the record had itself."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.consumer.fetcher import ConsumerRecord

from gmv.errors import Poison, Reason
from gmv.kafka import headers
from gmv.kafka.dead_letters import DeadLetterMessage, dead_letter_message, found
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.operations.dead_letters import PARTITIONS, RECORDS


def read_back(sent: DeadLetterMessage) -> FoundDeadLetter | None:
    fields = dict.fromkeys(ConsumerRecord._fields)
    fields |= {"key": sent.key, "value": sent.value, "headers": sent.headers, "timestamp": 1_700}
    return found(ConsumerRecord(**fields))


@given(PARTITIONS, RECORDS, st.sampled_from(Reason), st.text(max_size=20))
def test_dead_letters_are_read_back_as_they_were(
    partition: Partition, record: Record, why: Reason, detail: str
) -> None:
    sent = dead_letter_message(partition, DeadLetter(record, Poison(why, detail)), "group")
    assert sent.headers[: len(record.headers)] == list(record.headers)
    assert (sent.key, sent.value) != (None, None), "which no producer sends"
    assert read_back(sent) == FoundDeadLetter(partition, record, why, detail, 1_700)


@given(RECORDS)
def test_a_record_that_is_none_is_passed_over(record: Record) -> None:
    assert read_back(DeadLetterMessage(record.key, record.value, list(record.headers))) is None


def test_a_dead_letter_of_a_dead_letter_is_the_outer_one() -> None:
    """A topic of dead letters may be the input of another worker."""
    inner = dead_letter_message(
        Partition("a", 1), DeadLetter(Record(2, b"v"), Poison(Reason.INVALID_EVENT, "inner")), "g"
    )
    record = Record(7, inner.value, inner.key, tuple(inner.headers))
    outer = dead_letter_message(Partition("a.dlq", 0), DeadLetter(record, Poison(Reason.MALFORMED_JSON, "outer")), "g")
    again = read_back(outer)
    assert again is not None
    assert (again.place, again.detail, again.record) == ("a.dlq/0/7", "outer", record)
    assert headers.DLQ_TOPIC in dict(again.record.headers)
