"""How the story of an event looks, to machines and to people."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType

from gmv.cli import dead_letters
from gmv.cli.output import credits_text, table
from gmv.operations.explaining import EventExplanation, EventStatus, JudgedReceipt, ReceiptStatus
from gmv.valuation.receipt import CorrectionReceipt, Receipt, Share

_STANDINGS: Final = {
    ReceiptStatus.COMMITTED: "committed: the ledger vouches for it",
    ReceiptStatus.AWAITED: "published, not committed yet: the ledger's position has not come to it",
    ReceiptStatus.DUPLICATE: "never committed: the event is credited by another record",
    ReceiptStatus.ORPHAN: "never committed: its worker died before, and the record was read again",
    ReceiptStatus.UNCLEAR: "unclear",
}


def plain(story: EventExplanation) -> dict[str, Any]:
    """Return what `--json` prints of an event."""
    return {
        "source": story.source,
        "id": story.event_id,
        "outcome": story.outcome,
        "credited_at": [{"partition": at.partition, "offset": at.offset} for at in story.credited_at],
        "receipts": [_receipt(*each) for each in story.receipts],
        "corrections": [_correction(*each) for each in story.corrections],
        "dead_letters": [dead_letters.told(letter) for letter in story.dead_letters],
    }


def layout(event_id: str, source: str | None, stories: Sequence[EventExplanation]) -> RenderableType:
    """Lay out all that is known of an event."""
    if not stories:
        of = "" if source is None else f" of {source}"
        return f"nothing is known of event {event_id}{of}: no receipt, no dead letter"
    return Group(*(part for story in stories for part in _parts(story)))


def _parts(story: EventExplanation) -> list[RenderableType]:
    parts: list[RenderableType] = [f"event ({story.source or '-'}, {story.event_id}): {_verdict(story)}"]
    for judged, receipt in story.receipts:
        parts += [_facts(judged, receipt), _shares(receipt)]
    if corrections := [_correction_row(*each) for each in story.corrections]:
        parts.append(table("corrections", ["id", "is", "owner", "change", "reason"], corrections, numbers=["change"]))
    if story.dead_letters:
        rows = [[each.place, each.reason, each.detail] for each in story.dead_letters]
        parts.append(table("dead letters", ["stood at", "reason", "why"], rows))
    return parts


def _verdict(story: EventExplanation) -> str:
    committed = [receipt["micros"] for judged, receipt in story.receipts if judged.status is ReceiptStatus.COMMITTED]
    match story.outcome:
        case EventStatus.CREDITED if committed:
            return f"credited, {credits_text(sum(committed))} credits"
        case EventStatus.CREDITED:
            places = ", ".join(f"partition {at.partition}, offset {at.offset}" for at in story.credited_at)
            return f"credited by the ledger ({places}), but no receipt here is known to be the committed one"
        case EventStatus.DEAD_LETTERED:
            return f"refused, {', '.join(dict.fromkeys(letter.reason for letter in story.dead_letters))}"
        case EventStatus.AWAITED:
            return "attributed, not committed yet"
        case EventStatus.NOT_CREDITED:
            return "not credited"
        case EventStatus.UNCLEAR:
            return "unclear"


def _facts(judged: JudgedReceipt, receipt: Receipt) -> RenderableType:
    at = receipt["position"]
    return table(
        None,
        ["", " "],
        [
            ["batch", f"{judged.batch} of {judged.batch_receipts:,} receipts"],
            ["it is", f"{_STANDINGS[judged.status]}{judged.why and ': '}{judged.why}"],
            ["record", f"{at['topic']}/{at['partition']}/{at['offset']}"],
            ["index", receipt["index"]],
            ["settings", receipt["settings"]],
            ["quality", f"{receipt['quality']:g}"],
            ["temperature", f"{receipt['temperature']:g}"],
        ],
    )


def _shares(receipt: Receipt) -> RenderableType:
    return table(
        None,
        ["training image", "owner", "distance", "utility", "weight", "value", "credits"],
        [
            [
                each["image_id"],
                each["owner_id"],
                f"{each['distance']:.4f}",
                f"{each['utility']:.6f}",
                f"{each['weight']:g}",
                f"{_value(receipt, each):.6f}",
                credits_text(each["micros"]),
            ]
            for each in receipt["contributors"]
        ],
        numbers=["distance", "utility", "weight", "value", "credits"],
    )


def _value(receipt: Receipt, share: Share) -> float:
    """What the image is worth in credits, before it is rounded to micro-credits that add up."""
    return receipt["quality"] * share["weight"] * share["utility"]


def _receipt(judged: JudgedReceipt, receipt: Receipt) -> dict[str, Any]:
    return {
        "standing": judged.status,
        "why": judged.why or None,
        "batch": judged.batch,
        "batch_receipts": judged.batch_receipts,
        **receipt["position"],
        "index": receipt["index"],
        "settings": receipt["settings"],
        "quality": receipt["quality"],
        "temperature": receipt["temperature"],
        "credit_micros": receipt["micros"],
        "contributors": [
            {
                "image_id": each["image_id"],
                "owner_id": each["owner_id"],
                "distance": each["distance"],
                "utility": each["utility"],
                "weight": each["weight"],
                "value": _value(receipt, each),
                "credit_micros": each["micros"],
            }
            for each in receipt["contributors"]
        ],
    }


def _correction(judged: JudgedReceipt, receipt: CorrectionReceipt) -> dict[str, Any]:
    return {
        "id": receipt["correction"],
        "standing": judged.status,
        "why": judged.why or None,
        "batch": judged.batch,
        "reason": receipt["reason"],
        "changes": [{"owner_id": each["owner_id"], "change_micros": each["micros"]} for each in receipt["entries"]],
    }


def _correction_row(judged: JudgedReceipt, receipt: CorrectionReceipt) -> list[str]:
    owners = "\n".join(each["owner_id"] for each in receipt["entries"])
    changes = "\n".join(credits_text(each["micros"]) for each in receipt["entries"])
    return [receipt["correction"], judged.status, owners, changes, receipt["reason"]]
