"""What became of one event: its receipts, its dead letters, and which of them the ledger confirms.

One pass over all receipts and one over all dead letters. Memory grows with the batches among the receipts, 250 bytes
each, and with what is found of the event.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gmv.events.model import identity_of
from gmv.ledger.port import Known
from gmv.ledger.position import Position
from gmv.operations.published import Published, PublishedBatch, published_batches
from gmv.stream.dead_letters import FoundDeadLetter, Wanted, each_once
from gmv.valuation.receipt import AnyReceipt, CorrectionReceipt, Receipt, is_correction

_RECEIPT: Final[TypeAdapter[AnyReceipt]] = TypeAdapter(AnyReceipt)


class ReceiptStatus(StrEnum):
    """What a receipt is worth."""

    COMMITTED = "committed"
    """The ledger's position leads back to its batch."""

    AWAITED = "awaited"
    """The ledger's position has not come to its record: the commit follows, or the worker died before it."""

    DUPLICATE = "duplicate"
    """Its batch was never committed, since another record had been credited as the same event."""

    ORPHAN = "orphan"
    """Its batch was never committed: the worker died before, and the record was read again."""

    UNCLEAR = "unclear"
    """The ledger has no position in that log, or receipts that would show it are missing or altered."""


class EventStatus(StrEnum):
    """What became of an event."""

    CREDITED = "credited"
    DEAD_LETTERED = "dead_lettered"
    AWAITED = "awaited"
    NOT_CREDITED = "not_credited"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class JudgedReceipt:
    """A receipt that names the event.

    Attributes:
        receipt: as it was published, less its batch.
        batch: id of the batch it was published with.
        batch_receipts: number of receipts that batch has.
        status: what it is worth.
        why: where that is unclear, the reason in a sentence; "" elsewhere.
    """

    receipt: AnyReceipt
    batch: str
    batch_receipts: int
    status: ReceiptStatus
    why: str = ""


@dataclass(slots=True)
class EventExplanation:
    """What was found of one event.

    Attributes:
        source: CloudEvents source; None for a dead letter that names none.
        event_id: CloudEvents id.
        credited_at: where the ledger says that it was credited; once per book.
        judged: its receipts and those of corrections about it, in the order published.
        dead_letters: of records that say they are this event, in the order published.
    """

    source: str | None
    event_id: str
    credited_at: tuple[Known, ...] = ()
    judged: list[JudgedReceipt] = field(default_factory=list)
    dead_letters: list[FoundDeadLetter] = field(default_factory=list)

    @property
    def receipts(self) -> Iterator[tuple[JudgedReceipt, Receipt]]:
        """Those that say what the event earned."""
        for each in self.judged:
            if not is_correction(each.receipt):
                yield each, each.receipt

    @property
    def corrections(self) -> Iterator[tuple[JudgedReceipt, CorrectionReceipt]]:
        """Those of corrections about the event."""
        for each in self.judged:
            if is_correction(each.receipt):
                yield each, each.receipt

    @property
    def outcome(self) -> EventStatus:
        """The best that is known of it. Where the ledger and a receipt agree on nothing else, it is not credited."""
        statuses = {judged.status for judged, _ in self.receipts}
        if self.credited_at or ReceiptStatus.COMMITTED in statuses:
            return EventStatus.CREDITED
        if ReceiptStatus.UNCLEAR in statuses:
            return EventStatus.UNCLEAR
        if ReceiptStatus.AWAITED in statuses:
            return EventStatus.AWAITED
        return EventStatus.DEAD_LETTERED if self.dead_letters else EventStatus.NOT_CREDITED


def explain_event(
    event_id: str,
    source: str | None,
    positions: Mapping[tuple[str, int], Position],
    published: Iterable[Published],
    dead_letters: Iterable[FoundDeadLetter],
    credited: Callable[[bytes], Iterable[Known]],
) -> list[EventExplanation]:
    """Gather what is known of an event; of several sources, if none is named and events of theirs share the id.

    Args:
        event_id: CloudEvents id.
        source: CloudEvents source, None for any.
        positions: of the ledger, from before the receipts were read: all that they confirm was published.
        published: all receipts, in any order.
        dead_letters: all dead letters.
        credited: (identity) to the places at which the ledger says it was credited; asked last.
    """
    stories: dict[str | None, EventExplanation] = {}
    if source is not None:
        stories[source] = EventExplanation(source, event_id)
    for found in _judged(_gathered(event_id, source, published), positions):
        named = found.receipt["event"]["source"]
        stories.setdefault(named, EventExplanation(named, event_id)).judged.append(found)
    for dead_letter in each_once(filter(Wanted(event_id=event_id).includes, dead_letters)):
        name = dead_letter.event_name().source
        if source is None or name == source:
            stories.setdefault(name, EventExplanation(name, event_id)).dead_letters.append(dead_letter)
    for story in stories.values():
        if story.source is not None:
            story.credited_at = tuple(credited(identity_of(story.source, event_id)))
            story.judged = [_recognised(each, story) for each in story.judged]
    return [each for each in stories.values() if each.judged or each.dead_letters or each.credited_at]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What one pass over receipts leaves: the batch before each whole one, and what is about the event."""

    previous: dict[str, str]
    found: list[tuple[AnyReceipt, PublishedBatch]]


def _gathered(event_id: str, source: str | None, published: Iterable[Published]) -> _Gathered:
    gathered = _Gathered({}, [])
    seen: set[tuple[str, int, bool]] = set()
    for batch in published_batches(published):
        is_whole = batch.is_whole
        if is_whole:
            gathered.previous[batch.id] = batch.previous
        for offset, receipt in batch.by_offset.items():
            key = batch.id, offset, is_whole  # a damaged copy does not hide the whole one
            if _is_about(receipt, event_id, source) and key not in seen:
                seen.add(key)
                gathered.found.append((receipt, batch))
    return gathered


def _is_about(content: object, event_id: str, source: str | None) -> bool:
    """Return whether it is a receipt that names the event; in a batch that is not whole it may be anything."""
    match content:
        case {"event": {"id": named_id, "source": named_source}} if named_id == event_id:
            return source in (None, named_source) and _is_receipt(content)
        case _:
            return False


def _is_receipt(content: object) -> bool:
    try:
        _RECEIPT.validate_python(content)
    except ValidationError:
        return False
    return True


def _judged(gathered: _Gathered, positions: Mapping[tuple[str, int], Position]) -> Iterator[JudgedReceipt]:
    wanted = {batch.id for _, batch in gathered.found}
    logs = {(each["position"]["topic"], each["position"]["partition"]) for each, _ in gathered.found}
    ways = {log: _way_back(positions[log].batch_id, gathered.previous, wanted) for log in logs if log in positions}
    for receipt, batch in gathered.found:
        at = receipt["position"]
        log = at["topic"], at["partition"]
        committed, lost_at = ways.get(log, (frozenset(), ""))
        why = ""
        if log not in positions:
            kind, why = ReceiptStatus.UNCLEAR, f"the ledger has no position in {at['topic']}[{at['partition']}]"
        elif not batch.is_whole:
            kind, why = ReceiptStatus.UNCLEAR, batch.complaint
        elif batch.id in committed:
            kind = ReceiptStatus.COMMITTED
        elif at["offset"] >= positions[log].next_offset:
            kind = ReceiptStatus.AWAITED
        elif lost_at:
            kind, why = ReceiptStatus.UNCLEAR, f"on the way back from the ledger's position, batch {lost_at} is missing"
        else:
            kind = ReceiptStatus.ORPHAN
        yield JudgedReceipt(receipt, batch.id, batch.size, kind, why)


def _way_back(newest: str, previous: Mapping[str, str], wanted: set[str]) -> tuple[frozenset[str], str]:
    """Return which of the wanted batches were met, and the batch whose receipts are missing, "" if none are."""
    met: set[str] = set()
    name = newest
    while name in previous:
        if name in wanted:
            met.add(name)
        name = previous[name]
    return frozenset(met), name


def _recognised(judged: JudgedReceipt, story: EventExplanation) -> JudgedReceipt:
    """Distinguish an orphan whose event was credited by another record from one whose own record was read again."""
    if judged.status is not ReceiptStatus.ORPHAN or is_correction(judged.receipt):
        return judged
    own = judged.receipt["position"]
    committed = [each["position"] for other, each in story.receipts if other.status is ReceiptStatus.COMMITTED]
    credited = {(at["partition"], at["offset"]) for at in committed if at["topic"] == own["topic"]}
    credited |= {(known.partition, known.offset) for known in story.credited_at}
    if not credited or (own["partition"], own["offset"]) in credited:
        return judged
    return JudgedReceipt(judged.receipt, judged.batch, judged.batch_receipts, ReceiptStatus.DUPLICATE)
