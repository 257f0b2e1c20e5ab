"""How an explained event looks to people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gmv.cli.output import credits_text, distance_text, evidence_text, facts, table
from gmv.operations.explaining import EventStatus
from gmv.operations.explanation import Explained, ExplainedCorrection, ExplainedEvent, ExplainedReceipt
from gmv.operations.judging import ReceiptStatus

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

_STATUSES: Final = {
    ReceiptStatus.COMMITTED: "committed: the ledger confirms it",
    ReceiptStatus.AWAITED: "published, not committed yet: the ledger's position has not come to it",
    ReceiptStatus.DUPLICATE: "never committed: the event is credited by another record",
    ReceiptStatus.ORPHAN: "never committed: its worker died before, and the record was read again",
    ReceiptStatus.UNCLEAR: "unclear",
}


def view(explained: Explained) -> "Iterator[str | ConsoleRenderable]":
    """Lay out all that is known of an event."""
    for event in explained.events:
        yield from _event(event)
    if not explained.events:
        of = "" if explained.source is None else f" of {explained.source}"
        yield f"nothing is known of event {explained.event_id}{of}: no receipt, no dead letter"
    for topic in explained.corrections_unread:
        yield f"not all receipts of {topic} were read, which may be about it: name their file by --receipts"
    if explained.lines_passed_over:
        yield f"passed over, since it is no whole receipt: {', '.join(explained.lines_passed_over)}"


def _event(event: ExplainedEvent) -> "Iterator[str | ConsoleRenderable]":
    yield f"event ({event.source or '-'}, {event.id}): {_verdict(event)}"
    for receipt in event.receipts:
        yield _facts(receipt)
        if receipt.contributors:
            yield _shares(receipt)
        if (found := receipt.evidence) is not None:
            yield evidence_text(found.p, found.flat, found.reliable, receipt.unattributed_micros)
    if event.corrections:
        rows = map(_correction_row, event.corrections)
        yield table("corrections", ["id", "is", "owner", "change", "reason"], rows, numbers=["change"])
    if event.dead_letters:
        yield table(
            "dead letters",
            ["record", "reason", "why"],
            [[each.place, each.reason, each.detail] for each in event.dead_letters],
        )


def _verdict(event: ExplainedEvent) -> str:
    receipts = [each for each in event.receipts if each.standing is ReceiptStatus.COMMITTED]
    committed = [each.credit_micros for each in receipts]
    match event.outcome:
        case EventStatus.CREDITED if unattributed := sum(each.unattributed_micros for each in receipts):
            return f"credited to the account `unattributed`, {credits_text(unattributed)} credits, and to no owner"
        case EventStatus.CREDITED if committed:
            return f"credited, {credits_text(sum(committed))} credits"
        case EventStatus.CREDITED:
            places = ", ".join(f"partition {at.partition}, offset {at.offset}" for at in event.credited_at)
            return f"credited by the ledger ({places}), but no receipt here is known to be the committed one"
        case EventStatus.NOBODY_LEFT:
            return "credited to nobody: all training images recalled for it are opted out and left out"
        case EventStatus.DEAD_LETTERED:
            return f"refused, {', '.join(dict.fromkeys(each.reason for each in event.dead_letters))}"
        case EventStatus.AWAITED:
            return "attributed, not committed yet"
        case EventStatus.NOT_CREDITED:
            return "not credited"
        case EventStatus.UNCLEAR:
            return "unclear"


def _facts(receipt: ExplainedReceipt) -> "ConsoleRenderable":
    why = f": {receipt.why}" if receipt.why else ""
    return facts(
        None,
        [
            ("batch", f"{receipt.batch} of {receipt.batch_receipts:,} receipts"),
            ("it is", f"{_STATUSES[receipt.standing]}{why}"),
            ("record", f"{receipt.topic}/{receipt.partition}/{receipt.offset}"),
            ("index", receipt.index),
            ("settings", receipt.settings),
            ("quality", f"{receipt.quality:g}"),
            ("temperature", f"{receipt.temperature:g}"),
            *([("features", receipt.features)] if receipt.features else []),
        ],
    )


def _shares(receipt: ExplainedReceipt) -> "ConsoleRenderable":
    return table(
        None,
        ["training image", "owner", "distance", "utility", "weight", "value", "credits"],
        [
            [
                each.image_id,
                each.owner_id,
                distance_text(each.distance, each.mirrored),
                f"{each.utility:.6f}",
                f"{each.weight:g}",
                f"{each.value:.6f}",
                credits_text(each.credit_micros),
            ]
            for each in receipt.contributors
        ],
        numbers=["distance", "utility", "weight", "value", "credits"],
    )


def _correction_row(correction: ExplainedCorrection) -> list[object]:
    owners = tuple(each.owner_id for each in correction.changes)
    changes = tuple(credits_text(each.change_micros) for each in correction.changes)
    insisted = () if correction.insisted is None else (f"insisted on: {correction.insisted}",)
    return [correction.id, correction.standing, owners, changes, (correction.reason, *insisted)]
