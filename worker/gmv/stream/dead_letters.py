"""Dead letters found again: which record each of them is, and which of them a person means."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from gmv.errors import Poison
from gmv.events.cloudevents import decode
from gmv.events.headers import ATTRIBUTE_PREFIX
from gmv.events.model import GeneratedImage
from gmv.stream.records import Partition, Record

REPLAYED_FROM: Final = "gmv.dlq.replayed_from"
"""The header of a record that was sent again: topic/partition/offset where it was before."""


class EventName(NamedTuple):
    """What a record says it is; either may be missing where the record holds no event."""

    source: str | None
    id: str | None


@dataclass(frozen=True, slots=True)
class FoundDeadLetter:
    """A dead letter as it was read back.

    Attributes:
        partition: where the record was read.
        record: the record as it was there, byte for byte.
        reason: why it was refused; text, since another version of gmv may have reasons of its own.
        detail: the same in a sentence.
        timestamp_ms: when it was dead-lettered, -1 where unknown.
    """

    partition: Partition
    record: Record
    reason: str
    detail: str
    timestamp_ms: int = -1

    @property
    def place(self) -> str:
        """`topic/partition/offset` of the record."""
        return f"{self.partition.topic}/{self.partition.number}/{self.record.offset}"

    @property
    def replayed_from(self) -> list[str]:
        """The places that it was sent again from, oldest first."""
        return [(value or b"").decode(errors="replace") for name, value in self.record.headers if name == REPLAYED_FROM]

    @property
    def content(self) -> bytes:
        """16 bytes: a digest of key, value and headers, less what sending it again has added."""
        kept = [(name.encode(), value) for name, value in self.record.headers if name != REPLAYED_FROM]
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.record.key, self.record.value, *(part for header in kept for part in header)):
            digest.update(b"-" if part is None else b"%d:" % len(part))
            digest.update(part or b"")
        return digest.digest()

    def event(self) -> GeneratedImage | None:
        """Return the event, None if this gmv finds none in the record."""
        try:
            return decode(self.record.value, self.record.headers)
        except Poison:
            return None

    def event_name(self) -> EventName:
        """Return what the record calls itself, also where it is no event that could be credited."""
        fields: dict[str, object] = {
            name.removeprefix(ATTRIBUTE_PREFIX): value.decode(errors="replace")
            for name, value in self.record.headers
            if value is not None and name.startswith(ATTRIBUTE_PREFIX)
        }
        fields = fields or _json_object(self.record.value)
        return EventName(*(name if isinstance(name := fields.get(field), str) else None for field in EventName._fields))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant.

    Attributes:
        reasons: one of these; any where there are none.
        event_id: of the event; any where None.
        place: of the record, or a part of it from the right, such as `partition/offset`; any where None.
    """

    reasons: frozenset[str] = frozenset()
    event_id: str | None = None
    place: str | None = None

    def includes(self, dead_letter: FoundDeadLetter) -> bool:
        """Return whether the dead letter is one of them."""
        return (
            (not self.reasons or dead_letter.reason in self.reasons)
            and (self.place is None or f"/{dead_letter.place}".endswith(f"/{self.place}"))
            and (self.event_id is None or dead_letter.event_name().id == self.event_id)
        )


def each_once(dead_letters: Iterable[FoundDeadLetter]) -> Iterator[FoundDeadLetter]:
    """Leave out what a crash between publishing and commit has repeated: another dead letter of the same record."""
    seen: set[tuple[str, bytes]] = set()
    for dead_letter in dead_letters:
        key = (
            dead_letter.place,
            dead_letter.content,
        )  # a topic that was recreated has other records in the same places
        if key not in seen:
            seen.add(key)
            yield dead_letter


def _json_object(value: bytes | None) -> dict[str, object]:
    try:
        parsed = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
