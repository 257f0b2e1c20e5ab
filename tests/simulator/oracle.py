"""What the ledger must hold: one plain pass over the log, in the order in which ranges of it were committed.

Nothing of gmv is called here, and no record is parsed: what a record says is known from its sender.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .workload import DEADLY, Meaning

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

    def take(self, place: Place, meaning: Meaning) -> None:
        """Let one record have its effect."""
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
            self.totals.update({ACCOUNT: MICROS_PER_EVENT} if meaning.is_unlike else shares(meaning.owners))
        self.fates[place] = frozenset(fate)


def shares(owners: Sequence[str]) -> Mapping[str, int]:
    """Share one event among its owners: equally, and what does not divide by name, one micro-credit each."""
    whole, left = divmod(MICROS_PER_EVENT, len(owners))
    return {owner: whole + (rank < left) for rank, owner in enumerate(sorted(owners))}


def replay(ranges: Iterable[tuple[int, int, int]], log: Sequence[Sequence[Meaning | None]], books: int) -> list[Book]:
    """Credit ranges of the log record by record.

    Args:
        ranges: partition, first offset, offset after the last.
        log: per partition and offset what is there, None where a reader finds nothing.
        books: how many there are.
    """
    found = [Book() for _ in range(books)]
    for partition, start, end in ranges:
        for offset in range(start, end):
            meaning = log[partition][offset]
            if meaning is not None:
                found[partition % books].take((partition, offset), meaning)
    return found
