"""Is every micro-credit accounted for? Pure rules over what a ledger's reader sees."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gmv.ledger.keys import total_of
from gmv.ledger.port import Accounts, Balance, Snapshot, Sums
from gmv.valuation.types import MICROS_PER_CREDIT

_OWNERS_NAMED_MAX = 20


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


def conservation(accounts: Accounts, committed: Iterable[Balance] | None = None) -> Conservation:
    """Check every book at one moment of it (I2, I6), and each owner's total against what was committed, if told.

    Workers may commit meanwhile; with `committed` they may not, as owners are read one after the other.

    Args:
        accounts: the ledger.
        committed: what each event credited to whom, from committed receipts, in any order; an owner may come often.

    Raises:
        LedgerRefused: a position or a total cannot be read at all.
        LedgerMissing: a book is gone.
        LedgerUnavailable: the server is away.
    """
    books = list(accounts.snapshots())
    complaints = [complaint for book in books for complaint in _complaints(book)]
    if committed is not None:
        complaints += _unexplained(accounts, committed)
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
    if book.events != counted.credited:
        yield f"book {book.book}: it keeps {book.events} events, and counted {counted.credited} credited"
    if counted.micros > counted.credited * MICROS_PER_CREDIT:
        yield f"book {book.book}: {counted.micros} micro-credits are more than {counted.credited} events can earn"


def _unexplained(accounts: Accounts, committed: Iterable[Balance]) -> list[str]:
    expected: Counter[str] = Counter()
    for credit in committed:
        expected[credit.owner_id] += credit.micros
    differing = [
        f"owner {balance.owner_id!r}: the ledger holds {balance.micros}, receipts say {told}"
        for balance in accounts.balances()
        if balance.micros != (told := expected.pop(balance.owner_id, 0))
    ]
    differing += [
        f"owner {owner_id!r}: the ledger holds nothing, receipts say {told}"
        for owner_id, told in expected.items()
        if told
    ]
    more = len(differing) - _OWNERS_NAMED_MAX
    return differing[:_OWNERS_NAMED_MAX] + ([f"and {more} more owners"] if more > 0 else [])
