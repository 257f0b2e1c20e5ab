"""What the ledger must hold: one plain pass over the log, in the order in which ranges of it were committed.

Nothing of gmv is called here, and no record is parsed: what a record says is known from its sender.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .workload import DEADLY, Meaning, credited_by

MICROS_PER_EVENT = 1_000_000
ACCOUNT = "unattributed"

Place = tuple[int, int]
"""Partition and offset."""


@dataclass
class Book:
    """What one book holds.

    Attributes:
        totals: by owner.
        credited: by event name, where it was credited, and the payload it had.
        fates: per record, what may have become of it.
    """

    totals: Counter[str] = field(default_factory=Counter)
    credited: dict[str, tuple[Place, int]] = field(default_factory=dict)
    fates: dict[Place, frozenset[str]] = field(default_factory=dict)

    def take(self, place: Place, meaning: Meaning, index: int) -> None:
        """Let one record have its effect, by an index."""
        known = self.credited.get(meaning.name)
        if not meaning.name or meaning.name.startswith(DEADLY):
            fate = {"dead"}
        elif known is not None:
            fate = {"duplicate" if known[1] == meaning.payload else "dead"}
            if not meaning.owners:  # found dead before the other partition's event was credited, or after
                fate.add("dead")
        elif not meaning.owners:
            fate = {"dead"}
        else:
            fate = {"credited"}
            self.credited[meaning.name] = (place, meaning.payload)
            owners, copies = credited_by(index, meaning.owners, meaning.copies)
            self.totals.update({ACCOUNT: MICROS_PER_EVENT} if meaning.is_unlike else shares(owners, copies))
        self.fates[place] = frozenset(fate)


def shares(owners: Sequence[str], copies: int) -> Mapping[str, int]:
    """Share one event: equally, of near copies one share among their owners.

    What does not divide goes to the largest remainders, of equal ones by name, one micro-credit each.
    """
    places = len(owners) - copies + (copies > 0)
    parts = {owner: 1 if rank < copies else max(1, copies) for rank, owner in enumerate(owners)}
    quotas = {owner: divmod(MICROS_PER_EVENT * part, places * max(1, copies)) for owner, part in parts.items()}
    left = MICROS_PER_EVENT - sum(whole for whole, _ in quotas.values())
    served = sorted(quotas, key=lambda owner: (-quotas[owner][1], owner))[:left]
    return {owner: whole + (owner in served) for owner, (whole, _) in quotas.items()}


class Range(NamedTuple):
    """What one commit moved a position over, and the batch that the position names since."""

    partition: int
    start: int
    end: int
    batch: str


def replay(
    ranges: Iterable[Range],
    log: Sequence[Sequence[Meaning | None]],
    books: int,
    indexes: Mapping[tuple[str, Place], int],
) -> list[Book]:
    """Credit ranges of the log record by record.

    Args:
        ranges: of the log, in order.
        log: per partition and offset what is there, None where a reader finds nothing.
        books: how many there are.
        indexes: by which a record was credited in a batch, by its receipt.
    """
    found = [Book() for _ in range(books)]
    for partition, start, end, batch in ranges:
        for offset in range(start, end):
            meaning, place = log[partition][offset], (partition, offset)
            if meaning is not None:
                found[partition % books].take(place, meaning, indexes.get((batch, place), 0))
    return found
