"""What no ledger accepts, on any server: mistakes of the caller, found before anything is sent."""

from gmv.errors import CreditOutOfRange, InvalidSettings
from gmv.ledger.port import FIELDS_MAX, Batch, fields_of

IDENTITY_BYTES = 16
PAYLOAD_BYTES = 8


def admit(batch: Batch) -> None:
    """Return if the batch may be committed. About 50 us for 1,000 owners.

    Raises:
        CreditOutOfRange: too many fields, or a credit or count that is negative or no integer (I10).
        ValueError: the position does not move forward, or an event is in it twice, is credited and taken for credited
            before, or has ids of a wrong length.
    """
    where = f"{batch.topic}[{batch.partition}]"
    if fields_of(batch) > FIELDS_MAX:
        raise CreditOutOfRange(
            f"{where}: a batch of {len(batch.credits)} owners and {len(batch.entries)} events needs "
            f"{fields_of(batch)} fields, and one commit {FIELDS_MAX} at most; commit it in smaller batches"
        )
    amounts = [*batch.credits.values(), batch.dead_letters, batch.duplicates]
    if set(map(type, amounts)) != {int} or min(amounts) < 0:
        raise CreditOutOfRange(f"{where}: a batch adds integers of 0 or more and nothing else")
    if batch.debits:
        _admit_debits(batch, where)
    if batch.next.next_offset <= batch.expected.next_offset:
        # A commit whose reply was lost is sent again: only a position that moved shows that it was applied.
        raise ValueError(f"{where}: a batch must end after {batch.expected.next_offset}: {batch.next.next_offset}")
    identities = {entry.identity for entry in batch.entries}
    if len(identities) != len(batch.entries) or not identities.isdisjoint(batch.repeats):
        raise ValueError(f"{where}: an event is twice in one batch")
    if any(len(entry.identity) != IDENTITY_BYTES or len(entry.payload) != PAYLOAD_BYTES for entry in batch.entries):
        raise ValueError(f"{where}: an identity has {IDENTITY_BYTES} bytes and a payload digest {PAYLOAD_BYTES}")


def _admit_debits(batch: Batch, where: str) -> None:
    if not batch.is_correction:
        raise CreditOutOfRange(f"{where}: nothing but a correction takes credits away")
    amounts = list(batch.debits.values())
    if set(map(type, amounts)) != {int} or min(amounts) <= 0 or not batch.debits.keys().isdisjoint(batch.credits):
        raise CreditOutOfRange(f"{where}: a correction takes integers above 0 away, from owners that it gives nothing")


def admit_books(books: int | None) -> None:
    """Return if a ledger may have that many books.

    Raises:
        InvalidSettings: it may not.
    """
    if books is not None and books < 1:
        raise InvalidSettings(f"a ledger has one book or more, not {books}")
