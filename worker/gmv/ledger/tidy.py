"""A ledger that keeps itself from growing: a janitor works beside its commits, in proportion to what they credit."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from typing_extensions import override

from gmv.ledger.administration import Janitor, Swept
from gmv.ledger.around import AroundLedger
from gmv.ledger.port import Answer, Batch, Committed, Ledger
from gmv.ledger.sums import book_of
from gmv.ledger.window import SWEEP_FIELDS

FIELDS_PER_EVENT: Final = 4
"""How many fields of a book are looked at for each event credited to it.

So a pass over F fields takes F / 4 events, and of those that expire no more than that many are still kept: a book never
holds more than 4/3 of its owners and of the identities that count. Four workers on one book do a quarter of it each.
"""

UNSTATED_FIELDS: Final = 100 * SWEEP_FIELDS
"""How many fields fall due before a ledger that stated no window is asked for one again: a round trip in 25,000 events,
and not one in 250."""


def one_pass(janitor: Janitor, book: int, dry_window: int | None = None) -> Iterator[Swept]:
    """Sweep a book from where the janitor is to the end of its pass, or survey it where a window is given."""
    while True:
        swept = janitor.sweep(book) if dry_window is None else janitor.survey(book, dry_window)
        yield swept
        if swept.is_pass_over:
            return


class Pace:
    """When a janitor is due."""

    def __init__(self) -> None:
        self._fields_due = 0

    def sweeps_due(self, events_credited: int) -> int:
        """Return how many sweeps to make now, after so many more events."""
        self._fields_due += FIELDS_PER_EVENT * events_credited
        sweeps = max(0, self._fields_due // SWEEP_FIELDS)
        self._fields_due -= sweeps * SWEEP_FIELDS
        return sweeps

    def rest(self) -> None:
        """Take note that there was nothing to sweep for, as no window is stated."""
        self._fields_due = -UNSTATED_FIELDS


class TidyLedger(AroundLedger):
    """A `Ledger`. What a sweep raises, it raises after a commit that was applied: as harmless as a lost reply."""

    def __init__(self, ledger: Ledger, janitor: Janitor) -> None:
        super().__init__(ledger)
        self._janitor = janitor
        self._paces: defaultdict[int, Pace] = defaultdict(Pace)

    @override
    def commit(self, batch: Batch) -> Answer:
        """Sweeps where that is due."""
        answer = self._inner.commit(batch)
        if isinstance(answer, Committed):
            self._sweep_after(batch)
        return answer

    @override
    def close(self) -> None:
        """Close both."""
        self._inner.close()
        self._janitor.close()

    def _sweep_after(self, batch: Batch) -> None:
        pace = self._paces[batch.partition]
        for _ in range(pace.sweeps_due(len(batch.entries))):
            book = book_of(batch.partition, self._janitor.books)
            if self._janitor.sweep(book).seen == 0 and self._janitor.window() is None:
                pace.rest()
                return
