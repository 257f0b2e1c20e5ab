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
            self.totals.update(
                {ACCOUNT: MICROS_PER_EVENT} if meaning.is_unlike else shares(meaning.owners, meaning.copies)
            )
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
