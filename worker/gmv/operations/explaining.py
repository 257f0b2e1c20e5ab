"""What became of one event: its receipts as `judging` found them, its dead letters, and where the ledger has it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from gmv.events.model import identity_of
from gmv.ledger.port import Known
from gmv.operations.judging import JudgedReceipt, ReceiptStatus
from gmv.stream.dead_letters import FoundDeadLetter, Wanted, each_once
from gmv.valuation.receipt import CorrectionReceipt, Receipt, is_correction


class EventStatus(StrEnum):
    """What became of an event."""

    CREDITED = "credited"
    NOBODY_LEFT = "nobody_left"
    """It counts as credited, and nobody is paid: all images recalled for it are opted out."""

    DEAD_LETTERED = "dead_lettered"
    AWAITED = "awaited"
    NOT_CREDITED = "not_credited"
    UNCLEAR = "unclear"


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
            paying = [bool(each["contributors"]) for judged, each in self.receipts if judged.is_committed]
            return EventStatus.NOBODY_LEFT if paying and not any(paying) else EventStatus.CREDITED
        if ReceiptStatus.UNCLEAR in statuses:
            return EventStatus.UNCLEAR
        if ReceiptStatus.AWAITED in statuses:
            return EventStatus.AWAITED
        return EventStatus.DEAD_LETTERED if self.dead_letters else EventStatus.NOT_CREDITED


def explain_event(
    event_id: str,
    source: str | None,
    judged: Iterable[JudgedReceipt],
    dead_letters: Iterable[FoundDeadLetter],
    credited: Callable[[bytes], Iterable[Known]],
) -> list[EventExplanation]:
    """Gather what is known of an event; of several sources, if none is named and events of theirs share the id.

    Args:
        event_id: CloudEvents id.
        source: CloudEvents source, None for any.
        judged: the receipts that name it, in the order published.
        dead_letters: all dead letters.
        credited: (identity) to the places at which the ledger says it was credited; asked last.
    """
    stories: dict[str | None, EventExplanation] = {}
    if source is not None:
        stories[source] = EventExplanation(source, event_id)
    for found in judged:
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
