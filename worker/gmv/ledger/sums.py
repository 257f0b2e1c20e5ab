"""Which book a partition belongs to, and what commits add to its sums: the same in every ledger."""

from gmv.ledger.port import Batch, Sums


def book_of(partition: int, books: int) -> int:
    """Return the book that a partition's credits go to."""
    return partition % books


def counts_of(batch: Batch) -> tuple[int, int, int, int, int]:
    """Return what a batch adds to the sums, in the order of `SUM_FIELDS`."""
    entries = len(batch.entries)
    credited, corrections = (0, entries) if batch.is_correction else (entries, 0)
    return batch.micros, credited, batch.dead_letters, batch.duplicates, corrections


def total_of(books: list[Sums]) -> Sums:
    """Add up the sums of books."""
    return Sums(
        micros=sum(book.micros for book in books),
        credited=sum(book.credited for book in books),
        dead_letters=sum(book.dead_letters for book in books),
        duplicates=sum(book.duplicates for book in books),
        corrections=sum(book.corrections for book in books),
    )
