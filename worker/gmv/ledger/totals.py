"""All owners' totals of a whole ledger, put together from its books."""

from collections.abc import Mapping
from dataclasses import dataclass

from gmv.ledger.port import Accounts, Balance
from gmv.ledger.position import Position


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """What owners have earned up to the positions that go with it.

    Attributes:
        balances: every owner once, in no stated order.
        micros: their sum.
        positions: by (topic, partition); the totals hold every record below them and none above.
    """

    balances: list[Balance]
    micros: int
    positions: Mapping[tuple[str, int], Position]


def read_totals(accounts: Accounts) -> LedgerTotals:
    """Read each book at one moment of it (I6); takes memory for all owners. Raises as `Accounts` does."""
    totals: dict[str, int] = {}
    positions: dict[tuple[str, int], Position] = {}
    for book in accounts.snapshots(balances=True):
        for owner_id, micros in book.balances.items():
            totals[owner_id] = totals.get(owner_id, 0) + micros
        positions.update(book.positions)
    return LedgerTotals([Balance(*total) for total in totals.items()], sum(totals.values()), positions)
