"""Dead letters as tests write them, and strategies over all that a record can be."""

from hypothesis import strategies as st

from gmv.stream.dead_letters import REPLAYED_FROM, FoundDeadLetter
from gmv.stream.records import Partition, Record
from tests.events.samples import line

TOPIC = "images"

BYTES = st.binary(max_size=20)
HEADERS = st.lists(st.tuples(st.sampled_from(["h", "ce_id", "__dlq.errors.topic", "ü"]), st.none() | BYTES), max_size=4)
RECORDS = st.builds(
    Record,
    offset=st.integers(0, 2**60),
    value=st.none() | BYTES,
    key=st.none() | BYTES,
    headers=HEADERS.map(tuple),
)
PARTITIONS = st.builds(Partition, st.sampled_from(["images", "a.b-c_d"]), st.integers(0, 99))


def dead_letter(
    offset: int = 0,
    name: str = "event-1",
    reason: str = "image_unreachable",
    partition: int = 0,
    topic: str = TOPIC,
    replayed_from: tuple[str, ...] = (),
    value: bytes | None = b"",
    key: bytes | None = b"key",
) -> FoundDeadLetter:
    """A dead letter of an event of that id, unless a value is given."""
    headers = (("h", b"1"), *((REPLAYED_FROM, place.encode()) for place in replayed_from))
    record = Record(offset, line(id=name) if value == b"" else value, key, headers)
    return FoundDeadLetter(Partition(topic, partition), record, reason, "why")
