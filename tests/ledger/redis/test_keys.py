from hypothesis import given
from hypothesis import strategies as st

from gmv.ledger.fields import SUM_FIELDS
from gmv.ledger.port import Entry, Known
from gmv.ledger.redis import keys
from gmv.ledger.sums import book_of
from tests.ledger.batches import batch, entry


@given(st.text(), st.integers(0, 2**31 - 1))
def test_a_position_field_gives_topic_and_partition_back(topic: str, partition: int) -> None:
    assert keys.partition_of(keys.position_field(topic, partition)) == (topic, partition)


@given(
    st.text(),
    st.integers(0, 99),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**63),
    st.binary(min_size=8, max_size=8),
)
def test_a_credited_event_is_kept_whole(
    topic: str, partition: int, identity: bytes, offset: int, payload: bytes
) -> None:
    value = keys.event_value(topic, partition, Entry(identity, offset, payload))
    assert keys.credited_at(value) == (topic, Known(partition, offset, payload))
    assert keys.event_field(identity) == b"#e:" + identity


@given(st.text())
def test_no_owner_reaches_a_field_that_is_not_an_owners(owner_id: str) -> None:
    (field, *sums) = keys.counters(batch(credits={owner_id: 1}))
    assert field == "o:" + owner_id
    assert {*sums, "#s:corrections"} == set(SUM_FIELDS)


def test_a_book_is_one_cluster_slot() -> None:
    assert keys.book_key("gmv", 2) == "gmv:{2}"
    assert [book_of(partition, 3) for partition in range(5)] == [0, 1, 2, 0, 1]


def test_counters_are_owners_then_sums() -> None:
    added = keys.counters(batch(credits={"b": 2, "a": 3}, entries=[entry(1)], dead_letters=4, duplicates=5))
    assert list(added.items()) == [
        ("o:b", 2),
        ("o:a", 3),
        ("#s:micros", 5),
        ("#s:credited", 1),
        ("#s:dead_letters", 4),
        ("#s:duplicates", 5),
    ]
