"""Does the ledger hold what the receipts say, no more and no less? Recomputed from receipts alone.

Each partition's position names its newest batch, and each receipt the batch before its own: walking back from the
positions tells committed batches from orphans. Memory grows with batches and owners, not with events.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from gmv.errors import ConservationBroken, EventsRefused
from gmv.ledger.port import Accounts
from gmv.valuation.receipt import Receipt, batch_id, unseal


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
    """The receipts of one batch that stand together, each offset once, in order."""

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
        receipts: starts a pass over published receipts (JSON); the receipts of a batch stand together. Two passes.

    Raises:
        ConservationBroken: at the first difference: a committed batch without its receipts, or a total that differs.
    """
    standing = accounts.standing()
    previous = {batch.id: batch.previous for batch in _batches(receipts()) if batch.is_whole}
    committed = {batch for position in standing.values() for batch in _chain(position.batch_id, previous)}
    totals: dict[str, int] = {}
    counted: set[str] = set()
    receipts_counted = 0
    for batch in _batches(receipts()):
        if batch.id in committed and batch.id not in counted and batch.is_whole:
            counted.add(batch.id)
            receipts_counted += len(batch.receipts)
            _add(totals, batch.receipts)
    micros = _compare(accounts, totals)
    return Explanation(len(counted), receipts_counted, len(previous) - len(committed), len(totals), micros)


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
    parsed = (unseal(line) for line in lines)
    for batch, group in groupby(parsed, key=lambda pair: pair[0]):
        by_offset = {receipt["position"]["offset"]: receipt for _, receipt in group}
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
    for balance in accounts.balances():
        explained = unseen.pop(balance.owner_id, 0)
        if balance.micros != explained:
            raise ConservationBroken(
                f"owner {balance.owner_id!r} has {balance.micros} micro-credits in the ledger, {explained} by receipts"
            )
        micros += balance.micros
    if unseen:
        owner, explained = min(unseen.items())
        raise ConservationBroken(f"owner {owner!r} has {explained} micro-credits by receipts and none in the ledger")
    return micros
