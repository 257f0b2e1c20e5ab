"""A small world to run the core in: a log, a ledger and an outbox in memory, whose faults are chosen by the test."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gmv.errors import LedgerMissing, Poison, Reason
from gmv.events.json_text import JsonPart
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.ledger.port import (
    AlreadyCommitted,
    Answer,
    Batch,
    Committed,
    Duplicate,
    Fenced,
    Known,
    Missing,
    Rewound,
)
from gmv.ledger.position import Position
from gmv.stream.core import Parts
from gmv.stream.dead_letter_limits import DeadLetterLimits
from gmv.stream.outcomes import Stamp
from gmv.stream.ports import DeadLetter, RunSummary, SealedReceipt, Valuer
from gmv.stream.records import Bounds, Partition, Record, Run
from gmv.stream.stamped import OneValuer, StampedValuer
from gmv.valuation.attribution import value_places, withheld
from gmv.valuation.copies import paid_copies
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution, Candidate

PARTITION = Partition("images", 0)
TOPIC_ID = "topic-1"
START = Position(TOPIC_ID, 0)
CRASHES_PER_RECORD_MAX = 3


class Crash(Exception):  # noqa: N818
    """The process dies here."""


def event_record(
    offset: int, name: str, owners: Sequence[str] = ("ada",), says: int = 0, is_unlike: bool = False, copies: int = 0
) -> Record:
    """The images of the first so many owners are near copies of each other."""
    said: dict[str, Any] = {"id": name, "owners": list(owners), "says": says}
    said |= {"copies": copies} if copies else {}
    said |= {"unlike": True} if is_unlike else {}
    return Record(offset, orjson.dumps(said))


def poison_record(offset: int) -> Record:
    return Record(offset, b"{broken", key=b"k", headers=(("h", b"1"), ("h", b"2")))


class JsonDecoder:
    def decode(self, record: Record) -> GeneratedImage:
        try:
            event = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError as error:
            raise Poison(Reason.MALFORMED_JSON, str(error)) from error
        payload, whole = event["says"].to_bytes(8, "big"), JsonPart(record.value or b"")
        told = {name: event.get(name) for name in ("time", "model")}
        return GeneratedImage("/test", event["id"], ImageBytes(b""), payload=payload, metadata=whole, **told)


def owners_of(event: GeneratedImage) -> list[str]:
    """The owners that an event of these tests names."""
    owners: list[str] = _said(event)["owners"]
    return owners


def _said(event: GeneratedImage) -> dict[str, Any]:
    assert event.metadata is not None
    said: dict[str, Any] = orjson.loads(event.metadata.text)
    return said


def is_unlike(event: GeneratedImage) -> bool:
    """Whether an event of these tests says that it is evidence for nobody."""
    return "unlike" in _said(event)


Chosen = tuple[Sequence[str], int]
"""Owners, and how many of the first have near copies of one image."""


@dataclass(frozen=True)
class EqualShares:
    """Credits the owners that the event names, or those chosen of them, equally, or the account in their place; of near
    copies all together as one. Poison where it names none.
    """

    chosen: Callable[[Sequence[str], int], Chosen] = lambda owners, copies: (owners, copies)

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        return [self._value(event) for event in events]

    def _value(self, event: GeneratedImage) -> Attribution | Poison:
        owners = owners_of(event)
        if not owners:
            return Poison(Reason.IMAGE_CORRUPT, "no owners")
        chosen, alike = self.chosen(owners, _said(event).get("copies", 0))
        images = [Candidate(owner, owner, 1.0, 0.5) for owner in chosen]
        copies, others = images[:alike], images[alike:]
        places = [[image] for image in others]
        if copies:
            group = [replace(image, group=copies[0].image_id) for image in copies]
            places.append(paid_copies(group[-1], group, Ownership(), only_earliest=False, owners_max=9))
        valued = value_places(places, 1.0, 1.0)
        return withheld(valued) if is_unlike(event) else valued


@dataclass
class MemoryLedger:
    """The ledger's contract in memory."""

    state: dict[int, Position] = field(default_factory=lambda: {0: START})
    totals: dict[str, int] = field(default_factory=dict)
    events: dict[bytes, Known] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    hidden: set[bytes] = field(default_factory=set)
    """Identities that `known` leaves out once: credited by another worker after we asked."""
    added: set[int] = field(default_factory=set)
    """Partitions that were added to the topic and are not registered yet."""

    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        if set(partitions) - self.state.keys():
            raise LedgerMissing(f"{topic}: no position")
        return {number: self.state[number] for number in partitions}

    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        return set(partitions) & self.added

    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        found = {each: self.events[each] for each in identities if each in self.events and each not in self.hidden}
        self.hidden -= set(identities)
        return found

    def note(self, topic: str, partition: int) -> str | None:
        return self.notes.get(partition)

    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        if self.notes.get(partition) != expected:
            return False
        self.notes[partition] = text
        return True

    def commit(self, batch: Batch) -> Answer:
        self.answers.append(self._commit(batch))
        return self.answers[-1]

    def _commit(self, batch: Batch) -> Answer:
        found = self.state.get(batch.partition)
        if found is None:
            return Missing()
        if found == batch.next:
            return AlreadyCommitted()
        if found != batch.expected:
            return Rewound(found) if found.next_offset < batch.expected.next_offset else Fenced(found)
        if repeated := {entry.identity for entry in batch.entries} & self.events.keys():
            return Duplicate(frozenset(repeated))
        if any(key not in self.events or self.events[key].payload != said for key, said in batch.repeats.items()):
            return Rewound(batch.expected)
        for owner, micros in batch.credits.items():
            self.totals[owner] = self.totals.get(owner, 0) + micros
        for entry in batch.entries:
            self.events[entry.identity] = Known(batch.partition, entry.offset, entry.payload)
        self.state[batch.partition] = batch.next
        return Committed()

    def close(self) -> None: ...


@dataclass
class MemoryOutbox:
    receipts: list[SealedReceipt] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        self.receipts += receipts
        self.dead_letters += dead_letters


@dataclass
class MemoryLog:
    records: list[Record]
    start: int = 0
    id: str = TOPIC_ID

    async def topic_id(self) -> str:
        return self.id

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        end = self.records[-1].offset + 1 if self.records else 0
        return dict.fromkeys(partitions, Bounds(self.start, end))

    def seek(self, partition: Partition, offset: int) -> None: ...

    async def read(self) -> list[Run]:
        return [Run(PARTITION, tuple(self.records))]


@dataclass
class Notes:
    summaries: list[RunSummary] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    taken: list[Mapping[Partition, Position]] = field(default_factory=list)

    def run_finished(self, summary: RunSummary) -> None:
        self.summaries.append(summary)

    def positions_assigned(self, positions: Mapping[Partition, Position]) -> None:
        self.taken.append(positions)

    def bounds_read(self, bounds: Mapping[Partition, Bounds]) -> None: ...

    def commit_refused(self, partition: Partition, answer: Answer) -> None:
        self.refused.append(answer)


def by(valuer: Valuer) -> OneValuer:
    """By a valuer, with a stamp that names no real index."""
    return OneValuer(StampedValuer(valuer, Stamp("index", "settings")))


def parts(ledger: object, outbox: object, notes: Notes, in_a_row_max: int = 10**6) -> Parts:
    return Parts(
        decoder=JsonDecoder(),
        valuers=by(EqualShares()),
        ledger=ledger,  # type: ignore[arg-type]
        outbox=outbox,  # type: ignore[arg-type]
        observer=notes,
        limits=lambda: DeadLetterLimits(in_a_row_max, 1.0),
        crashes_per_record_max=CRASHES_PER_RECORD_MAX,
    )
