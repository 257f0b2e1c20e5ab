"""Is every micro-credit accounted for? Pure rules over what a ledger's reader sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gmv.ledger.beginning import FirstPartitions
from gmv.ledger.fields import CORRECTIONS_PREFIX
from gmv.ledger.port import Accounts, Snapshot, Sums
from gmv.ledger.sums import total_of
from gmv.valuation.types import MICROS_PER_CREDIT


@dataclass(frozen=True, slots=True)
class Conservation:
    """What the books hold against what they counted.

    Attributes:
        micros: the owners' totals, summed over the books.
        sums: the books' own counts, added up.
        positions: number of partitions that the ledger has a position in.
        complaints: one sentence for each thing that does not fit; empty if all is conserved.
        offsets_passed: offsets below the positions, from where crediting began; from 0 where that is not recorded.
        begins_unrecorded: partitions of which it is not recorded where crediting began, as `topic[partition]`.
    """

    micros: int
    sums: Sums
    positions: int
    complaints: tuple[str, ...]
    offsets_passed: int
    begins_unrecorded: tuple[str, ...]

    @property
    def offsets_uncounted(self) -> int:
        """Offsets that were passed and held no record that was counted.

        Aborted records and marks of transactions, blank lines, records that `gmv ledger accept-loss` passed over; and,
        where it is not recorded where crediting began, all that was there before.
        """
        return self.offsets_passed - self.sums.credited - self.sums.dead_letters - self.sums.duplicates

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
    first = {topic: found for book in books for topic, found in book.first.items()}
    complaints += [complaint for book in books for complaint in _late_begins(book, first)]
    unrecorded = [
        f"{topic}[{number}]" for book in books for topic, number in _logs(book) if (topic, number) not in book.begins
    ]
    return Conservation(
        micros=sum(book.micros for book in books),
        sums=total_of([book.sums for book in books]),
        positions=sum(len(book.positions) for book in books),
        complaints=tuple(complaints),
        offsets_passed=sum(map(_passed, books)),
        begins_unrecorded=tuple(sorted(unrecorded)),
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
    counted_records = counted.credited + counted.dead_letters + counted.duplicates
    if counted_records > (passed := _passed(book)):
        yield f"book {book.book}: it counted {counted_records} records, and its positions have passed {passed} offsets"


def _late_begins(book: Snapshot, first: Mapping[str, FirstPartitions]) -> Iterable[str]:
    for (topic, number), begin in book.begins.items():
        if topic in first and first[topic].late({number: begin}):
            yield (
                f"{topic}[{number}] was added to its topic and began at {begin.offset}, not at {begin.log_start} where "
                "it begins: what is between was never credited. Send those records again, to any partition"
            )


def _logs(book: Snapshot) -> Iterable[tuple[str, int]]:
    """Partitions that are read; a file of corrections counts its lines otherwise."""
    return (log for log in book.positions if not log[0].startswith(CORRECTIONS_PREFIX))


def _passed(book: Snapshot) -> int:
    begins = {log: begin.offset for log, begin in book.begins.items()}
    return sum(book.positions[log].next_offset - begins.get(log, 0) for log in _logs(book))
