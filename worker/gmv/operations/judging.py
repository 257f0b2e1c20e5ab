"""What each of the receipts that somebody asks for is worth, by the positions of the ledger.

One pass over all receipts. Memory grows with the batches among them, 250 bytes each, and with what is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gmv.ledger.fields import CORRECTIONS_PREFIX
from gmv.ledger.position import Position
from gmv.operations.published import PassedOver, Published, PublishedBatch, published_batches
from gmv.valuation.receipt import AnyReceipt

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

    @property
    def is_committed(self) -> bool:
        """Whether the ledger confirms it."""
        return self.status is ReceiptStatus.COMMITTED


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a pass over receipts.

    Attributes:
        judged: the receipts asked for, in the order published; one that was published twice is here once.
        corrections_unread: logs of corrections -> the newest batch that the ledger has committed there and whose
            receipts were not among those read. What that batch and those before it corrected is not known.
        passed_over: what was among them and is no receipt.
    """

    judged: Sequence[JudgedReceipt]
    corrections_unread: Mapping[str, str]
    passed_over: PassedOver = field(default_factory=PassedOver)


def judge_receipts(
    names: Callable[[str, str], bool], published: Iterable[Published], positions: Mapping[tuple[str, int], Position]
) -> Judgement:
    """Judge the receipts of events, and those of corrections about them.

    Args:
        names: (source, id) to whether that event is asked for.
        published: all receipts, in any order.
        positions: of the ledger, from before the receipts were read: all that they confirm was published.
    """
    previous: dict[str, str] = {}
    found: list[tuple[AnyReceipt, PublishedBatch]] = []
    seen: set[tuple[str, int, bool]] = set()
    passed_over = PassedOver()
    for batch in published_batches(published, passed_over.add):
        is_whole = batch.is_whole
        if is_whole:
            previous[batch.id] = batch.previous
        for offset, receipt in batch.by_offset.items():
            key = batch.id, offset, is_whole  # a damaged copy does not hide the whole one
            if _is_about(receipt, names) and key not in seen:
                seen.add(key)
                found.append((receipt, batch))
    unread = {}
    for (topic, _), position in positions.items():
        if topic.startswith(CORRECTIONS_PREFIX) and (lost_at := _way_back(position.batch_id, previous, set())[1]):
            unread[topic] = lost_at
    return Judgement(list(_judged(found, previous, positions)), unread, passed_over)


def _is_about(content: object, names: Callable[[str, str], bool]) -> bool:
    """Return whether it is a receipt of an event asked for; in a batch that is not whole it may be anything."""
    match content:
        case {"event": {"id": str(named_id), "source": str(named_source)}} if names(named_source, named_id):
            return _is_receipt(content)
        case _:
            return False


def _is_receipt(content: object) -> bool:
    try:
        _RECEIPT.validate_python(content)
    except ValidationError:
        return False
    return True


def _judged(
    found: Sequence[tuple[AnyReceipt, PublishedBatch]],
    previous: Mapping[str, str],
    positions: Mapping[tuple[str, int], Position],
) -> Iterator[JudgedReceipt]:
    wanted = {batch.id for _, batch in found}
    logs = {(each["position"]["topic"], each["position"]["partition"]) for each, _ in found}
    ways = {log: _way_back(positions[log].batch_id, previous, wanted) for log in logs if log in positions}
    for receipt, batch in found:
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
