"""Do receipts support corrections? What is taken from an owner for an event, that event has paid them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from gmv.ledger.sums import book_of
from gmv.operations.judging import JudgedReceipt, Judgement
from gmv.operations.owner_names import likely_meant
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import EventName, changes_of, is_correction

_NAMED_MAX: Final = 5

_Event = tuple[str, str]
"""CloudEvents source and id."""


class _Paid:
    """What events paid, by the receipts that the ledger confirms: those of the events, and of corrections about them.

    Attributes:
        micros: (event, book) -> owner id -> micro-credits, corrections included.
        partitions: event -> partitions in which it was credited.
        others: event -> its receipts that the ledger does not confirm.
    """

    def __init__(self, judged: Sequence[JudgedReceipt], books: int) -> None:
        self.micros: defaultdict[tuple[_Event, int], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.partitions: defaultdict[_Event, set[int]] = defaultdict(set)
        self.others: defaultdict[_Event, list[JudgedReceipt]] = defaultdict(list)
        for each in judged:
            event, partition = _key(each.receipt["event"]), each.receipt["position"]["partition"]
            if each.is_committed:
                self.add(event, book_of(partition, books), list(changes_of(each.receipt)))
            if not is_correction(each.receipt):
                if each.is_committed:
                    self.partitions[event].add(partition)
                else:
                    self.others[event].append(each)

    def add(self, event: _Event, book: int, changes: Sequence[tuple[str, int]]) -> None:
        """Take note of what is added to owners' totals on account of an event."""
        for owner_id, micros in changes:
            self.micros[event, book][owner_id] += micros


def doubts_about(pending: Sequence[Correction], judgement: Judgement, books: int) -> dict[int, str]:
    """Return what speaks against corrections, by offset; against those that name no event, nothing does.

    Args:
        pending: in the order in which they are applied; each counts for those after it.
        judgement: of the receipts of all events that they name.
        books: how many the ledger has; a correction takes from the book of its partition alone.
    """
    paid = _Paid(judgement.judged, books)
    doubts: dict[int, str] = {}
    for correction in pending:
        if correction.event is None:
            continue
        event, book = _key(correction.event), book_of(correction.partition, books)
        if doubt := _not_credited(event, correction.partition, paid, books) or _unread(judgement):
            doubts[correction.offset] = doubt
        elif (has := paid.micros[event, book][correction.from_owner]) < correction.micros:
            doubts[correction.offset] = _paid_less(event, correction, has, paid.micros[event, book])
        paid.add(event, book, correction.changes)
    return doubts


def _key(event: EventName) -> _Event:
    return event["source"], event["id"]


def _named(event: _Event) -> str:
    return "event ({}, {})".format(*event)


def _not_credited(event: _Event, partition: int, paid: _Paid, books: int) -> str | None:
    """Say why there is nothing of this event to correct in the partition's book, None where there is."""
    partitions = paid.partitions[event]
    if any(book_of(each, books) == book_of(partition, books) for each in partitions):
        return None
    if partitions:
        where = " and ".join(map(str, sorted(partitions)))
        return (
            f"{_named(event)} was credited in partition {where}, which is of another book than partition "
            f"{partition}; give the line the partition of the receipt"
        )
    if not (others := paid.others[event]):
        return f"there is no receipt of {_named(event)} among those read, so nobody is known to be paid by it"
    newest = others[-1]
    why = f": {newest.why}" if newest.why else ""
    return f"the ledger does not confirm the receipt of {_named(event)}, which is {newest.status}{why}"


def _unread(judgement: Judgement) -> str | None:
    """Say that earlier corrections are not known."""
    if not judgement.corrections_unread:
        return None
    topic, batch = min(judgement.corrections_unread.items())
    return (
        f"receipts of {topic} are missing (batch {batch} and before), so it is not known what was taken earlier; name "
        "their file by --event-receipts"
    )


def _paid_less(event: _Event, correction: Correction, has: int, micros: dict[str, int]) -> str:
    owners = [(owner_id, paid) for owner_id, paid in sorted(micros.items()) if paid > 0]
    listed = ", ".join(f"{owner_id!r} {paid}" for owner_id, paid in owners[:_NAMED_MAX])
    more = f" and {len(owners) - _NAMED_MAX} owners more" if len(owners) > _NAMED_MAX else ""
    meant = "" if has > 0 else likely_meant(correction.from_owner, [owner_id for owner_id, _ in owners])
    return (
        f"{_named(event)} paid {correction.from_owner!r} {has} micro-credits, less than the {correction.micros} "
        f"that are taken{meant}. With earlier corrections it paid {listed or 'nobody'}{more}"
    )
