"""Does the ledger hold what the receipts say, no more and no less? Recomputed from receipts alone.

Each partition's position names its newest batch, and each receipt the batch before its own: walking back from the
positions tells committed batches from orphans. Memory grows with batches and owners, not with events: receipts may
stand in any order, but those of one batch are near each other, since one worker sent them at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gmv.errors import ConservationBroken, EventsRefused
from gmv.ledger.port import Accounts
from gmv.valuation.receipt import Receipt, batch_id, unseal

OWNERS_NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found where everything agrees.

    Attributes:
        batches: number of committed batches.
        receipts: number of their receipts.
        orphans: number of batches that were published and never committed.
        owners: owners whose totals were compared.
        micros: sum of the totals.
    """

    batches: int
    receipts: int
    orphans: int
    owners: int
    micros: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """As many receipts of one batch id as that batch has, each offset once, in order."""

    id: str
    receipts: list[Receipt]

    @property
    def is_whole(self) -> bool:
        return batch_id(self.receipts) == self.id

    @property
    def previous(self) -> str:
        return self.receipts[0]["previous_batch"]


def explain(accounts: Accounts, receipts: Callable[[], Iterable[bytes]]) -> Explanation:
    """Recompute every owner's total from the committed receipts and compare it with the ledger's.

    Args:
        accounts: the ledger.
        receipts: starts a pass over published receipts (JSON), in any order; there are two passes.

    Raises:
        ConservationBroken: a committed batch is without its receipts, or totals differ; it names the owners.
    """
    previous, committed = _history(accounts, receipts())
    totals: dict[str, int] = {}
    batches = receipts_counted = 0
    for batch in _committed_batches(committed, receipts()):
        batches += 1
        receipts_counted += len(batch.receipts)
        _add(totals, batch.receipts)
    micros = _compare(accounts, totals)
    return Explanation(batches, receipts_counted, len(previous) - len(committed), len(totals), micros)


def committed_receipts(accounts: Accounts, receipts: Callable[[], Iterable[bytes]]) -> Iterator[Receipt]:
    """Yield the receipts that the ledger's positions vouch for, each once, in the order published.

    Args:
        accounts: the ledger.
        receipts: as for `explain`.

    Raises:
        ConservationBroken: a committed batch is without its receipts.
    """
    _, committed = _history(accounts, receipts())
    for batch in _committed_batches(committed, receipts()):
        yield from batch.receipts


def receipts_in(path: Path) -> Iterator[bytes]:
    """Yield the lines of a receipts file.

    Raises:
        EventsRefused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give the receipts file that `gmv replay` wrote") from error


def _history(accounts: Accounts, published: Iterable[bytes]) -> tuple[dict[str, str], set[str]]:
    """Return the batch before each published one, and the ids of those that were committed."""
    standing = accounts.standing()
    previous = {batch.id: batch.previous for batch in _batches(published) if batch.is_whole}
    return previous, {batch for position in standing.values() for batch in _chain(position.batch_id, previous)}


def _committed_batches(committed: set[str], published: Iterable[bytes]) -> Iterator[_Batch]:
    counted: set[str] = set()
    for batch in _batches(published):
        if batch.id in committed and batch.id not in counted and batch.is_whole:
            counted.add(batch.id)
            yield batch


def _chain(newest: str, previous: dict[str, str]) -> Iterator[str]:
    batch = newest
    while batch:
        if batch not in previous:
            raise ConservationBroken(
                f"batch {batch} is in the ledger, but its receipts are missing or altered; look for them in the other "
                "receipts files or topics of this ledger"
            )
        yield batch
        batch = previous[batch]


def _batches(lines: Iterable[bytes]) -> Iterator[_Batch]:
    """Yield a batch whenever its last receipt comes; one that was published twice may come twice.

    A line that is no receipt, such as one that a crash tore, explains nothing and is passed over: a batch that needs
    it stays unfinished.
    """
    unfinished: dict[str, dict[int, Receipt]] = {}
    for line in lines:
        try:
            batch, size, receipt = unseal(line)
            offset = receipt["position"]["offset"]
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        by_offset = unfinished.setdefault(batch, {})
        by_offset[offset] = receipt
        if len(by_offset) == size:
            del unfinished[batch]
            yield _Batch(batch, [by_offset[offset] for offset in sorted(by_offset)])


def _add(totals: dict[str, int], receipts: Iterable[Receipt]) -> None:
    for receipt in receipts:
        for contributor in receipt["contributors"]:
            if contributor["micros"]:
                owner = contributor["owner_id"]
                totals[owner] = totals.get(owner, 0) + contributor["micros"]


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
