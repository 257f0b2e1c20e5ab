"""A file of corrections applied to a ledger, by the protocol that credits a log of events.

The file is a log of its own in the ledger, with a partition per book. Its receipts are on disk before each commit, and
one atomic commit moves totals, ids of corrections and position together. So a run that ended anywhere is repeated
safely, and a file that has grown goes on where it was. All of it is checked before anything is applied: a file is
refused whole.

Ids are recognised as those of events are, for as long as the ledger's window has it: a correction that is in
another file again is applied once more only when its first file has grown by more lines than the window has offsets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gmv.errors import CorrectionsRefused, LedgerMissing
from gmv.ledger.administration import Registry
from gmv.ledger.port import (
    FIELDS_MAX,
    FIXED_FIELDS,
    Accounts,
    AlreadyCommitted,
    Answer,
    Batch,
    Committed,
    Entry,
    Known,
    Ledger,
    Missing,
    OutOfRange,
)
from gmv.ledger.position import Position
from gmv.ledger.sums import book_of
from gmv.operations.correction_file import CorrectionFile
from gmv.operations.owner_names import likely_meant
from gmv.stream.ports import SealedReceipt
from gmv.valuation.correction import Correction, net, overdrawn
from gmv.valuation.receipt import seal

Publish = Callable[[Sequence[SealedReceipt]], None]
"""Takes receipts and returns once they are durable; raises `DiskFull` or `LogUnavailable` where it cannot."""

_KNOWN_AT_ONCE: Final = 1_000
_FIELDS_PER_CORRECTION: Final = 3  # two owners and an id


@dataclass(frozen=True, slots=True)
class BookPlan:
    """What a file comes to in one book.

    Attributes:
        book: its number, which is the partition of the file's log there.
        position: of the file in it.
        pending: corrections to apply, in order.
        repeated: number of corrections after the position that were applied already, by way of another file.
        end: the position's offset when all is done.
    """

    book: int
    position: Position
    pending: Sequence[Correction]
    repeated: int
    end: int


@dataclass(frozen=True, slots=True)
class CorrectionPlan:
    """What a file comes to.

    Attributes:
        file: what was read.
        books: those of the ledger in which the file has corrections.
    """

    file: CorrectionFile
    books: Sequence[BookPlan]

    @property
    def pending(self) -> list[Correction]:
        """Corrections to apply, in order of the file."""
        return sorted((each for book in self.books for each in book.pending), key=lambda each: each.offset)

    @property
    def already_applied(self) -> int:
        """Number of corrections that were applied before."""
        return len(self.file.corrections) - len(self.pending)

    def insisted(self, reasons: Mapping[int, str]) -> "CorrectionPlan":
        """Return the plan with the reasons, by offset, why corrections are meant that receipts do not support."""
        books = [
            replace(book, pending=[replace(each, insisted=reasons.get(each.offset)) for each in book.pending])
            for book in self.books
        ]
        return replace(self, books=books)


def plan_corrections(file: CorrectionFile, ledger: Ledger, accounts: Accounts) -> CorrectionPlan:
    """Compare a file with the ledger, and see that all of it can be applied. Nothing is written.

    Raises:
        CorrectionsRefused: a line that was applied has changed since, an id belongs to another correction, or an owner
            has less than is taken.
        LedgerMissing: there is no ledger.
    """
    books = accounts.books()
    known = [_known(file, ledger, book) for book in range(books)]
    plans = []
    for book in range(books):
        corrections = [each for each in file.corrections if book_of(each.partition, books) == book]
        if corrections:
            plans.append(_plan_book(file, book, corrections, _position(file, ledger, book), known))
    for plan in plans:
        _refuse_overdrawn(file, plan, accounts, books)
    return CorrectionPlan(file, plans)


def apply_corrections(plan: CorrectionPlan, ledger: Ledger, registry: Registry, publish: Publish) -> None:
    """Apply what is planned; receipts are published before each commit.

    Raises:
        CorrectionsRefused: somebody else corrects the same ledger at the same time; running again goes on.
        DiskFull: a receipt cannot be written; what was committed before stays.
    """
    file = plan.file
    registry.register(file.topic, {book.book: Position(file.topic_id, 0) for book in plan.books})
    for book in plan.books:
        position = book.position
        for piece, end in _pieces(book):
            entries = [each.receipt(file.topic, book.book, position.batch_id) for each in piece]
            batch_id, lines = seal(entries) if entries else (position.batch_id, [])
            publish([SealedReceipt(each.id.encode(), line) for each, line in zip(piece, lines, strict=True)])
            following = Position(position.topic_id, end, -1, batch_id)
            _require_committed(file, ledger.commit(_batch(file, book.book, position, following, piece)))
            position = following


def _known(file: CorrectionFile, ledger: Ledger, book: int) -> dict[bytes, Known]:
    identities = [each.identity for each in file.corrections]
    known: dict[bytes, Known] = {}
    for start in range(0, len(identities), _KNOWN_AT_ONCE):
        known |= ledger.known(book, identities[start : start + _KNOWN_AT_ONCE])
    return known


def _position(file: CorrectionFile, ledger: Ledger, book: int) -> Position:
    try:
        position = ledger.positions(file.topic, [book])[book]
    except LedgerMissing:  # of a position; that there is a ledger is known
        return Position(file.topic_id, 0)
    if position.topic_id != file.topic_id:
        raise CorrectionsRefused(
            f"{file.path}: a file of this name was applied that began with another correction. Corrections are never "
            "edited: put the first line back, or give new corrections a file of another name"
        )
    return position


def _plan_book(
    file: CorrectionFile,
    book: int,
    corrections: Sequence[Correction],
    position: Position,
    known: Sequence[dict[bytes, Known]],
) -> BookPlan:
    pending, repeated = [], 0
    for correction in corrections:
        places = {number: held[correction.identity] for number, held in enumerate(known) if correction.identity in held}
        where, is_done = f"{file.path}:{correction.offset + 1}", correction.offset < position.next_offset
        if any(number != book or place.payload != correction.payload for number, place in places.items()):
            raise CorrectionsRefused(
                f"{where}: {correction.id!r} was applied before, and said something else. Corrections are never "
                "edited: put the line back, and correct it by another one"
            )
        if is_done and not places:
            raise CorrectionsRefused(
                f"{where}: the ledger is past this line, and has not applied {correction.id!r}: the file was edited. "
                "Put it back as it was, and add new corrections at its end"
            )
        if not places:
            pending.append(correction)
        elif not is_done:
            repeated += 1
    return BookPlan(book, position, pending, repeated, max(position.next_offset, corrections[-1].offset + 1))


def _refuse_overdrawn(file: CorrectionFile, plan: BookPlan, accounts: Accounts, books: int) -> None:
    owners = sorted({owner_id for each in plan.pending for owner_id, _ in each.changes})
    if (found := overdrawn(plan.pending, accounts.totals(owners, plan.book) if owners else {})) is None:
        return
    correction, has = found
    meant = ""
    if not accounts.totals([correction.from_owner]):
        meant = likely_meant(correction.from_owner, (balance.owner_id for balance in accounts.balances()))
    of_book = ""
    if books > 1:
        owner = [correction.from_owner]
        elsewhere = sum(accounts.totals(owner).values()) - sum(accounts.totals(owner, plan.book).values())
        of_book = f" in book {plan.book}, that of partition {correction.partition}, and {elsewhere} in the others"
    raise CorrectionsRefused(
        f"{file.path}:{correction.offset + 1} takes {correction.micros} micro-credits from {correction.from_owner!r}, "
        f"who has {has}{of_book} when it comes to that line{meant or '.'} Totals never go below 0; nothing of the "
        f"file was applied"
        f"{'. What another book is to pay needs a line of its own, with a partition of that book' if of_book else ''}"
    )


def _pieces(book: BookPlan) -> Iterator[tuple[Sequence[Correction], int]]:
    """Cut what is pending into commits, each with the offset it leads to; one without corrections moves on alone."""
    size = (FIELDS_MAX - FIXED_FIELDS) // _FIELDS_PER_CORRECTION
    pending = book.pending
    for start in range(0, len(pending), size):
        piece = pending[start : start + size]
        is_last = start + size >= len(pending)
        yield piece, book.end if is_last else piece[-1].offset + 1
    if not pending and book.end > book.position.next_offset:
        yield [], book.end


def _batch(
    file: CorrectionFile, book: int, expected: Position, following: Position, piece: Sequence[Correction]
) -> Batch:
    total = net(piece)
    return Batch(
        topic=file.topic,
        partition=book,
        expected=expected,
        next=following,
        credits=total.credits,
        entries=[Entry(each.identity, each.offset, each.payload) for each in piece],
        debits=total.debits,
        is_correction=True,
    )


def _require_committed(file: CorrectionFile, answer: Answer) -> None:
    match answer:
        case Committed() | AlreadyCommitted():
            return
        case Missing():
            raise LedgerMissing(f"{file.path}: the ledger's data is gone; restore it")
        case OutOfRange(field):
            raise CorrectionsRefused(
                f"{file.path}: {field!r} would leave [0, 2^53), since somebody else corrects this ledger, too; what "
                "was applied stays. Run again, and see which line cannot be paid"
            )
        case _:
            raise CorrectionsRefused(
                f"{file.path}: somebody else corrects this ledger at the same time; run again when they are done"
            )
