"""Batches as tests write them."""

from collections.abc import Mapping, Sequence

from gmv.ledger.port import Batch, Entry
from gmv.ledger.position import Position

TOPIC = "generated-images"
TOPIC_ID = "topic-id-1"
START = Position(TOPIC_ID, 0)


def at(offset: int, batch_id: str = "b", topic_id: str = TOPIC_ID, leader_epoch: int = -1) -> Position:
    return Position(topic_id, offset, leader_epoch, batch_id)


def identity(number: int) -> bytes:
    return number.to_bytes(16, "big")


def entry(number: int, offset: int = 0, payload: int = 0) -> Entry:
    return Entry(identity(number), offset, payload.to_bytes(8, "big"))


def batch(
    expected: Position = START,
    following: Position | None = None,
    credits: Mapping[str, int] | None = None,  # noqa: A002 - the ledger's own word
    entries: Sequence[Entry] = (),
    partition: int = 0,
    topic: str = TOPIC,
    dead_letters: int = 0,
    duplicates: int = 0,
    repeats: Mapping[int, int] | None = None,
) -> Batch:
    return Batch(
        topic=topic,
        partition=partition,
        expected=expected,
        next=following or at(expected.next_offset + 10),
        credits=credits or {},
        entries=entries,
        dead_letters=dead_letters,
        duplicates=duplicates,
        repeats={identity(number): payload.to_bytes(8, "big") for number, payload in (repeats or {}).items()},
    )
