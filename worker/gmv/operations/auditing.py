"""Whether every micro-credit of a ledger is accounted for: by its own counts and, given receipts, owner by owner."""

from dataclasses import dataclass

from gmv.errors import ConservationBroken, Refusal
from gmv.ledger.port import Accounts, Sums
from gmv.ledger.verify import Conservation, conservation
from gmv.operations.chain import Receipts
from gmv.operations.verifying import verify_receipts


@dataclass(frozen=True, slots=True)
class ReceiptsFound:
    """How receipts account for the totals.

    Attributes:
        committed: number of receipts of events that were committed.
        batches: number of their batches.
        orphan_batches: number of batches that were published and never committed.
        owners: owners whose totals were compared.
    """

    committed: int
    batches: int
    orphan_batches: int
    owners: int


@dataclass(frozen=True, slots=True)
class VerifiedLedger:
    """A ledger in which all is accounted for.

    Attributes:
        ledger_url: of the ledger.
        conserved: True.
        credit_micros: sum of the owners' totals.
        credited: events credited.
        dead_letters: records that could not be.
        duplicates: events that were credited before.
        corrections: corrections applied.
        positions: number of partitions that it has a position in.
        offsets_uncounted: offsets that were passed and held no record that was counted.
        begins_unrecorded: partitions of which it is not recorded where crediting began, as `topic[partition]`.
        receipts: what they explain; None where none were given.
    """

    ledger_url: str
    conserved: bool
    credit_micros: int
    credited: int
    dead_letters: int
    duplicates: int
    corrections: int
    positions: int
    offsets_uncounted: int
    begins_unrecorded: tuple[str, ...]
    receipts: ReceiptsFound | None


def verify_ledger(ledger_url: str, accounts: Accounts, receipts: Receipts | None) -> VerifiedLedger:
    """Check that totals add up to what was committed and, given receipts, that these explain each total.

    Args:
        ledger_url: what the ledger is called.
        accounts: of the ledger.
        receipts: those of every log that the ledger has a position in; there are two passes. None leaves them out.

    Raises:
        ConservationBroken: something is not accounted for.
        Refusal: workers committed while receipts were read, and that could be why.
    """
    found = conservation(accounts)
    receipts_found = None if receipts is None else _explained(accounts, found, receipts)
    if not found.conserved:
        raise ConservationBroken("; ".join(found.complaints))
    return VerifiedLedger(
        ledger_url=ledger_url,
        conserved=True,
        credit_micros=found.micros,
        credited=found.sums.credited,
        dead_letters=found.sums.dead_letters,
        duplicates=found.sums.duplicates,
        corrections=found.sums.corrections,
        positions=found.positions,
        offsets_uncounted=found.offsets_uncounted,
        begins_unrecorded=found.begins_unrecorded,
        receipts=receipts_found,
    )


def _explained(accounts: Accounts, conserved: Conservation, receipts: Receipts) -> ReceiptsFound:
    """Raise `ConservationBroken` only where nothing was committed meanwhile that could be the cause.

    Totals that do not add up are named with it: receipts name the owners, sums do not.
    """
    before = accounts.positions()
    try:
        return _explained_at_rest(accounts, conserved.sums, receipts)
    except ConservationBroken as broken:
        if conserved.conserved and accounts.positions() != before:
            raise Refusal("the ledger moved on while it was read: stop its workers and verify again") from broken
        raise ConservationBroken("; ".join((*conserved.complaints, str(broken)))) from broken


def _explained_at_rest(accounts: Accounts, counted: Sums, receipts: Receipts) -> ReceiptsFound:
    explained = verify_receipts(accounts, receipts)
    for what, entered, explaining in (
        ("events are credited", counted.credited, explained.receipts),
        ("corrections are applied", counted.corrections, explained.corrections),
    ):
        if explaining != entered:
            raise ConservationBroken(f"{entered} {what}, and {explaining} have committed receipts")
    return ReceiptsFound(explained.receipts, explained.batches, explained.orphans, explained.owners)
