"""Does the ledger hold what the receipts say, no more and no less? Recomputed from receipts alone.

Each partition's position names its newest batch, and each receipt the batch before its own: walking back from the
positions separates committed batches from orphans (`chain.py`). Memory grows with owners, not with events: receipts may
be in any order, but those of one batch are near each other, since one worker sent them at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gmv.errors import ConservationBroken
from gmv.ledger.port import Accounts
from gmv.operations.chain import Receipts, chain_of, committed_batches
from gmv.valuation.receipt import AnyReceipt, Receipt, changes_of, is_correction

OWNERS_NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class VerifiedReceipts:
    """What was found where everything agrees.

    Attributes:
        batches: number of committed batches.
        receipts: number of their receipts of events.
        orphans: number of batches that were published and never committed.
        owners: owners whose totals were compared.
        micros: sum of the totals.
        corrections: number of their receipts of corrections.
    """

    batches: int
    receipts: int
    orphans: int
    owners: int
    micros: int
    corrections: int = 0


def verify_receipts(accounts: Accounts, receipts: Receipts) -> VerifiedReceipts:
    """Recompute every owner's total from the committed receipts and compare it with the ledger's.

    Args:
        accounts: the ledger.
        receipts: starts a pass over published receipts (JSON), in any order; there are two passes.

    Raises:
        ConservationBroken: a committed batch is without its receipts, or totals differ; it names the owners.
    """
    totals: dict[str, int] = {}
    batches = receipts_counted = corrections = 0
    positions = accounts.positions()
    with chain_of(receipts()) as chain:
        chain.walk_back(positions)
        for batch in committed_batches(chain, receipts()):
            batches += 1
            receipts_counted += len(batch.receipts)
            corrections += sum(map(is_correction, batch.receipts))
            _add(totals, batch.receipts)
        orphans = chain.orphans
    micros, events = _compare(accounts, totals), receipts_counted - corrections
    return VerifiedReceipts(batches, events, orphans, len(totals), micros, corrections)


def committed_receipts(accounts: Accounts, receipts: Receipts) -> Iterator[Receipt]:
    """Yield the receipts of events that the ledger's positions confirm, each once, in the order published.

    Args:
        accounts: the ledger.
        receipts: as for `explain`.

    Raises:
        ConservationBroken: a committed batch is without its receipts.
    """
    positions = accounts.positions()
    with chain_of(receipts()) as chain:
        chain.walk_back(positions)
        for batch in committed_batches(chain, receipts()):
            yield from (receipt for receipt in batch.receipts if not is_correction(receipt))


def _add(totals: dict[str, int], receipts: Iterable[AnyReceipt]) -> None:
    for receipt in receipts:
        for owner, micros in changes_of(receipt):
            totals[owner] = totals.get(owner, 0) + micros


def _compare(accounts: Accounts, totals: dict[str, int]) -> int:
    unseen = dict(totals)
    micros = 0
    differing: list[str] = []
    for balance in accounts.balances():
        explained = unseen.pop(balance.owner_id, 0)
        if balance.micros != explained:
            differing.append(
                f"owner {balance.owner_id!r} has {balance.micros} micro-credits in the ledger, {explained} by receipts"
            )
        micros += balance.micros
    differing += [
        f"owner {owner!r} has {explained} micro-credits by receipts and none in the ledger"
        for owner, explained in sorted(unseen.items())
    ]
    if differing:
        more = len(differing) - OWNERS_NAMED_MAX
        raise ConservationBroken(
            "; ".join(differing[:OWNERS_NAMED_MAX] + ([f"and {more} more owners"] if more > 0 else []))
        )
    return micros
