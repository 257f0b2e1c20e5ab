"""What became of one event, as plain values: what `explaining` found, with what each contributor's image is worth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gmv.operations.explaining import EventExplanation, EventStatus
from gmv.operations.judging import JudgedReceipt, ReceiptStatus
from gmv.operations.showing_dead_letters import ListedDeadLetter, listed
from gmv.valuation.receipt import NOBODY_LEFT, CorrectionReceipt, Receipt, Share


@dataclass(frozen=True, slots=True)
class CreditedAt:
    """Where the ledger says that the event was credited."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class ExplainedShare:
    """What one contributor earned, and why.

    `value` is what the image is worth in credits, before it is rounded to micro-credits that add up.
    """

    image_id: str
    owner_id: str
    distance: float
    utility: float
    weight: float
    value: float
    credit_micros: int
    mirrored: bool


@dataclass(frozen=True, slots=True)
class ExplainedEvidence:
    """The `Grounds` of a receipt."""

    p: float
    flat: bool
    reliable: bool


@dataclass(frozen=True, slots=True)
class ExplainedReceipt:
    """A receipt of the event.

    Attributes:
        standing: what it is worth.
        why: where that is unclear, the reason in a sentence.
        batch: id of the batch it was published with.
        batch_receipts: number of receipts that batch has.
        topic: of the record.
        partition: of the record.
        offset: of the record.
        index: index id.
        settings: digest of the settings.
        quality: of the generated image, in [0, 1].
        temperature: tau of the softmax.
        credit_micros: what all contributors earned, and what is unattributed.
        contributors: in rank order.
        outcome: `nobody_left` where there are none, since all recalled images are opted out; None elsewhere.
        features: digest of the features, where another machine may see others in the image; None elsewhere.
        evidence: what speaks for the contributors; None where the index had nothing to compare with.
        unattributed_micros: what the account `unattributed` was credited in their place.
    """

    standing: ReceiptStatus
    why: str | None
    batch: str
    batch_receipts: int
    topic: str
    partition: int
    offset: int
    index: str
    settings: str
    quality: float
    temperature: float
    credit_micros: int
    contributors: tuple[ExplainedShare, ...]
    outcome: str | None
    features: str | None
    evidence: ExplainedEvidence | None
    unattributed_micros: int


@dataclass(frozen=True, slots=True)
class ExplainedChange:
    """What a correction adds to an owner's total; below 0 where it takes away."""

    owner_id: str
    change_micros: int


@dataclass(frozen=True, slots=True)
class ExplainedCorrection:
    """A correction about the event; standing, why and batch as of an `ExplainedReceipt`.

    `insisted` says why it was meant though the event's receipts did not support it; None where they did.
    """

    id: str
    standing: ReceiptStatus
    why: str | None
    batch: str
    reason: str
    insisted: str | None
    changes: tuple[ExplainedChange, ...]


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """All that is known of one event.

    Attributes:
        source: CloudEvents source; None where only dead letters are known, and they do not say.
        id: CloudEvents id.
        outcome: the best that is known of it.
        credited_at: once per book of the ledger.
        receipts: in the order published.
        corrections: about it, in the order published.
        dead_letters: of records that say they are this event, in the order published.
    """

    source: str | None
    id: str
    outcome: EventStatus
    credited_at: tuple[CreditedAt, ...]
    receipts: tuple[ExplainedReceipt, ...]
    corrections: tuple[ExplainedCorrection, ...]
    dead_letters: tuple[ListedDeadLetter, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """What is known of the events of an id.

    Attributes:
        ledger_url: that was asked.
        event_id: CloudEvents id.
        events: one per source.
        source: the one that was asked for; None for any.
        corrections_unread: logs of corrections of which not all receipts were among those read.
        lines_passed_over: places of the first lines and records among those read that are no receipts.
    """

    ledger_url: str
    event_id: str
    events: tuple[ExplainedEvent, ...]
    source: str | None
    corrections_unread: tuple[str, ...]
    lines_passed_over: tuple[str, ...]


def explained(
    ledger_url: str,
    event_id: str,
    source: str | None,
    explanations: Sequence[EventExplanation],
    corrections_unread: Iterable[str],
    passed_over: Sequence[str],
) -> Explained:
    """Return what `explain_event` found as plain values."""
    events = tuple(map(_event, explanations))
    return Explained(ledger_url, event_id, events, source, tuple(sorted(corrections_unread)), tuple(passed_over))


def _event(explanation: EventExplanation) -> ExplainedEvent:
    return ExplainedEvent(
        source=explanation.source,
        id=explanation.event_id,
        outcome=explanation.outcome,
        credited_at=tuple(CreditedAt(at.partition, at.offset) for at in explanation.credited_at),
        receipts=tuple(_receipt(*each) for each in explanation.receipts),
        corrections=tuple(_correction(*each) for each in explanation.corrections),
        dead_letters=tuple(map(listed, explanation.dead_letters)),
    )


def _receipt(judged: JudgedReceipt, receipt: Receipt) -> ExplainedReceipt:
    position = receipt["position"]
    return ExplainedReceipt(
        standing=judged.status,
        why=judged.why or None,
        batch=judged.batch,
        batch_receipts=judged.batch_receipts,
        topic=position["topic"],
        partition=position["partition"],
        offset=position["offset"],
        index=receipt["index"],
        settings=receipt["settings"],
        quality=receipt["quality"],
        temperature=receipt["temperature"],
        credit_micros=receipt["micros"],
        contributors=tuple(_share(receipt, share) for share in receipt["contributors"]),
        outcome=None if receipt["contributors"] else NOBODY_LEFT,
        features=receipt.get("features"),
        evidence=_evidence(receipt),
        unattributed_micros=receipt.get("unattributed_micros", 0),
    )


def _evidence(receipt: Receipt) -> ExplainedEvidence | None:
    if (found := receipt.get("evidence")) is None:
        return None
    return ExplainedEvidence(found["p"], found.get("flat", False), found["reliable"])


def _share(receipt: Receipt, share: Share) -> ExplainedShare:
    return ExplainedShare(
        image_id=share["image_id"],
        owner_id=share["owner_id"],
        distance=share["distance"],
        utility=share["utility"],
        weight=share["weight"],
        value=receipt["quality"] * share["weight"] * share["utility"],
        credit_micros=share["micros"],
        mirrored=share.get("mirrored", False),
    )


def _correction(judged: JudgedReceipt, receipt: CorrectionReceipt) -> ExplainedCorrection:
    return ExplainedCorrection(
        id=receipt["correction"],
        standing=judged.status,
        why=judged.why or None,
        batch=judged.batch,
        reason=receipt["reason"],
        insisted=receipt.get("insisted"),
        changes=tuple(ExplainedChange(each["owner_id"], each["micros"]) for each in receipt["entries"]),
    )
