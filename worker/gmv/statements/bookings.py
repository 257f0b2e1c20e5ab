"""Committed receipts, each as what it adds to whose total, and when.

In constant memory, by two passes over what was published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gmv.errors import EventsRefused
from gmv.events.event_time import unix_milliseconds, valid_milliseconds
from gmv.operations.chain import Chain, Positions, Receipts, chain_of, committed_batches
from gmv.operations.published import PassedOver
from gmv.valuation.receipt import AnyReceipt, changes_of, is_correction


class Evidence(NamedTuple):
    """What speaks for an event's contributors: its p-value in [0, 1], whether its image is flat, whether that does."""

    p: float
    flat: bool
    reliable: bool


@dataclass(frozen=True, slots=True)
class Booking:
    """A committed receipt.

    Attributes:
        receipt: of an event or of a correction.
        moment_ms: when it counts, milliseconds since 1970: the event's time, else its record's; of a correction the
            time that its line tells, else when its receipt came to Kafka; None where nothing tells.
    """

    receipt: AnyReceipt
    moment_ms: int | None

    @property
    def is_correction(self) -> bool:
        """Whether it is of a correction, and not of an event."""
        return is_correction(self.receipt)

    @property
    def model(self) -> str | None:
        """Name of the generator, None where it is not told; a correction has none."""
        return None if is_correction(self.receipt) else self.receipt.get("model")

    @property
    def evidence(self) -> Evidence | None:
        """What the receipt says of it; those of older versions, and of indexes that measured none, say nothing."""
        match self.receipt.get("evidence"):
            case {"p": float(p) | int(p), "reliable": bool(is_reliable), **more}:
                return Evidence(p, bool(more.get("flat")), is_reliable)
        return None

    def changes(self) -> dict[str, int]:
        """Return micro-credits added to each owner's total; below 0 where they are taken."""
        totals: dict[str, int] = {}
        for owner_id, micros in changes_of(self.receipt):
            totals[owner_id] = totals.get(owner_id, 0) + micros
        return totals


def committed_bookings(
    positions: Positions, receipts: Receipts, passed_over: PassedOver | None = None
) -> Iterator[Booking]:
    """Yield what a ledger's positions confirm, each receipt once, in the order published.

    Args:
        positions: of the ledger, from before the receipts are read: all that they confirm was published.
        receipts: those of all logs that the ledger knows; there are two passes.
        passed_over: takes the place of each line that is no receipt.

    Raises:
        ConservationBroken: a committed batch is without its receipts.
        EventsRefused: none of the receipts is of this ledger.
        DiskFull: there is no room for a temporary file.
    """
    with chain_of(receipts(), passed_over) as chain:
        _refuse_others(chain, positions)
        chain.walk_back(positions)
        for batch in committed_batches(chain, receipts()):
            for receipt in batch.receipts:
                yield Booking(receipt, _moment(receipt, batch.timestamp_ms))


def _refuse_others(chain: Chain, positions: Positions) -> None:
    newest = [position.batch_id for position in positions.values() if position.batch_id]
    if chain.orphans and not any(map(chain.holds, newest)):
        raise EventsRefused(
            "none of these receipts is of this ledger: its positions confirm other batches. Name the receipts files or "
            "topics of its own logs, or the ledger that these are of"
        )


def _moment(receipt: AnyReceipt, published_ms: int | None) -> int | None:
    told = unix_milliseconds(receipt.get("time"))
    if told is not None:
        return told
    return valid_milliseconds(published_ms if is_correction(receipt) else receipt.get("record_timestamp_ms"))
