"""Is every micro-credit accounted for? Pure rules over what a ledger's reader sees."""

from collections.abc import Iterable
from dataclasses import dataclass

from gmv.ledger.port import Accounts, Snapshot, Sums
from gmv.ledger.sums import total_of
from gmv.valuation.types import MICROS_PER_CREDIT


@dataclass(frozen=True, slots=True)
class Conservation:
    """What the books hold against what they counted.

    Attributes:
        micros: the owners' totals, summed over the books.
        sums: the books' own counts, added up.
        positions: number of partitions the ledger stands in.
        complaints: one sentence for each thing that does not fit; empty if all is conserved.
    """

    micros: int
    sums: Sums
    positions: int
    complaints: tuple[str, ...]

    @property
    def conserved(self) -> bool:
        """Whether everything fits."""
        return not self.complaints


def conservation(accounts: Accounts) -> Conservation:
    """Check every book at one moment of it (I2, I6). Workers may commit meanwhile.

    Raises:
        LedgerRefused: a position or a total cannot be read at all.
        LedgerMissing: a book is gone.
        LedgerUnavailable: the server is away.
    """
    books = list(accounts.snapshots())
    complaints = [complaint for book in books for complaint in _complaints(book)]
    return Conservation(
        micros=sum(book.micros for book in books),
        sums=total_of([book.sums for book in books]),
        positions=sum(len(book.positions) for book in books),
        complaints=tuple(complaints),
    )


def _complaints(book: Snapshot) -> Iterable[str]:
    counted = book.sums
    if book.micros != counted.micros:
        yield (
            f"book {book.book}: the totals of {book.owners} owners add up to {book.micros} micro-credits, "
            f"but {counted.micros} were committed"
        )
    entered = counted.credited + counted.corrections
    if book.events > entered or (book.window is None and book.events != entered):
        yield f"book {book.book}: it keeps {book.events} events and corrections, and counted {entered}"
    if counted.micros > counted.credited * MICROS_PER_CREDIT:
        yield f"book {book.book}: {counted.micros} micro-credits are more than {counted.credited} events can earn"
