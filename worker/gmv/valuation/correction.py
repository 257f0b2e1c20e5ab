"""Corrections: credits that were given wrongly, taken back by entries of their own. Nothing is edited in place."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from gmv.valuation.receipt import CorrectionReceipt, EventName


@dataclass(frozen=True, slots=True)
class Correction:
    """One entry of a file of corrections.

    Attributes:
        offset: its line, counted from 0.
        id: names it for good: applied once, whichever file it is in.
        from_owner: whose micro-credits are taken.
        to_owner: who is given them; None where they are withdrawn.
        micros: how many, above 0.
        reason: for those who audit the ledger.
        event: that was credited wrongly, if it is about one.
        partition: of the log in which that event was credited, as its receipt says; decides the book.
        insisted: why it is meant though the event's receipts do not support it; None where they do. Said by who
            applies it, not by the file: no part of what it says.
        time: when it was made (RFC 3339), if its line tells; decides nothing but in which statement it is.
    """

    offset: int
    id: str
    from_owner: str
    to_owner: str | None
    micros: int
    reason: str
    event: EventName | None = None
    partition: int = 0
    insisted: str | None = None
    time: str | None = None

    @property
    def identity(self) -> bytes:
        """16 bytes: a digest of the id, and never of an event's."""
        return hashlib.blake2b(self.id.encode(), digest_size=16, person=b"gmv-correction").digest()

    @property
    def payload(self) -> bytes:
        """8 bytes, digest of all that it says: another correction under the same id has another."""
        said = [self.from_owner, self.to_owner, self.micros, self.reason, self.event, self.partition]
        said += [] if self.time is None else [self.time]  # lines without one keep the digest that they had
        return hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()

    @property
    def changes(self) -> list[tuple[str, int]]:
        """Owner and what is added to their total, in the order of a receipt."""
        taken = (self.from_owner, -self.micros)
        return [taken] if self.to_owner is None else [taken, (self.to_owner, self.micros)]

    def receipt(self, topic: str, partition: int, previous_batch: str) -> CorrectionReceipt:
        """Return its receipt, less the batch id.

        Args:
            topic: name of the log of corrections.
            partition: of that log.
            previous_batch: of that partition.
        """
        made: CorrectionReceipt = {
            "correction": self.id,
            "position": {"topic": topic, "partition": partition, "offset": self.offset},
            "previous_batch": previous_batch,
            "reason": self.reason,
            "entries": [{"owner_id": owner_id, "micros": micros} for owner_id, micros in self.changes],
            "micros": sum(micros for _, micros in self.changes),
        }
        if self.event is not None:
            made["event"] = self.event
        if self.insisted is not None:
            made["insisted"] = self.insisted
        if self.time is not None:
            made["time"] = self.time
        return made


class Net(NamedTuple):
    """What corrections come to, taken together: owner id -> micro-credits, each owner in one of the two."""

    credits: dict[str, int]
    debits: dict[str, int]


def net(corrections: Iterable[Correction]) -> Net:
    """Add corrections up; owners that neither gain nor lose are left out."""
    totals: defaultdict[str, int] = defaultdict(int)
    for correction in corrections:
        for owner_id, micros in correction.changes:
            totals[owner_id] += micros
    return Net(
        {owner_id: micros for owner_id, micros in totals.items() if micros > 0},
        {owner_id: -micros for owner_id, micros in totals.items() if micros < 0},
    )


def overdrawn(corrections: Iterable[Correction], held: Mapping[str, int]) -> tuple[Correction, int] | None:
    """Return the first that takes more than is left, with what is left; None where each of them can be paid.

    Args:
        corrections: in the order in which they are applied.
        held: owner id -> total before the first of them; 0 where it is missing.
    """
    left = dict(held)
    for correction in corrections:
        if (has := left.get(correction.from_owner, 0)) < correction.micros:
            return correction, has
        for owner_id, micros in correction.changes:
            left[owner_id] = left.get(owner_id, 0) + micros
    return None
