"""A ledger as a few dictionaries: slow, in memory, and simple enough to be believed."""

from collections import Counter

from gmv.ledger.port import (
    MICROS_MAX,
    AlreadyCommitted,
    Answer,
    Batch,
    Committed,
    Duplicate,
    Fenced,
    Known,
    Missing,
    OutOfRange,
    Rewound,
)
from gmv.ledger.position import Position

SUMS = ("micros", "credited", "dead_letters", "duplicates")


class Model:
    def __init__(self, books: int) -> None:
        self.window: int | None = None
        self.positions: dict[int, Position] = {}
        self.owners: list[Counter[str]] = [Counter() for _ in range(books)]
        self.events: list[dict[bytes, Known]] = [{} for _ in range(books)]
        self.sums: list[Counter[str]] = [Counter() for _ in range(books)]

    def commit(self, batch: Batch) -> Answer:
        book = batch.partition % len(self.owners)
        found = self.positions.get(batch.partition)
        if found is None:
            return Missing()
        if found == batch.next:
            return AlreadyCommitted()
        if found != batch.expected:
            behind = found.topic_id == batch.expected.topic_id and found.next_offset < batch.expected.next_offset
            return Rewound(found) if behind else Fenced(found)
        events = self.known(book)
        if known := {entry.identity for entry in batch.entries} & events.keys():
            return Duplicate(frozenset(known))
        credited = {key: place.payload for key, place in events.items() if key in batch.repeats}
        if credited != batch.repeats:
            return Rewound(batch.expected)
        counts = (sum(batch.credits.values()), len(batch.entries), batch.dead_letters, batch.duplicates)
        owners = self.owners[book] + Counter(batch.credits)
        sums = self.sums[book] + Counter(dict(zip(SUMS, counts, strict=True)))
        for prefix, totals, names in (("o:", owners, batch.credits), ("#s:", sums, SUMS)):
            for name in names:
                if totals[name] > MICROS_MAX:
                    return OutOfRange(prefix + name)
        self.owners[book].update(batch.credits)
        self.sums[book] = sums
        self.events[book] |= {e.identity: Known(batch.partition, e.offset, e.payload) for e in batch.entries}
        self.positions[batch.partition] = batch.next
        return Committed()

    def known(self, book: int) -> dict[bytes, Known]:
        """The events that count as credited."""
        return {key: place for key, place in self.events[book].items() if self._counts(place)}

    def let_go(self) -> None:
        """Forget the events that do not count: what a narrower window let go does not come back with a wider one."""
        self.events = [self.known(book) for book in range(len(self.events))]

    def _counts(self, place: Known) -> bool:
        return self.window is None or self.positions[place.partition].next_offset <= place.offset + self.window

    def balances(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for owners in self.owners:
            total.update(owners)
        return dict(total)
