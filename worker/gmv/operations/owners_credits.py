"""What owners have earned, read from a ledger at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from gmv.ledger.port import Accounts
from gmv.ledger.totals import read_totals
from gmv.valuation.evidence import UNATTRIBUTED


@dataclass(frozen=True, slots=True)
class Leader:
    """An owner and their total in micro-credits."""

    owner_id: str
    credit_micros: int


@dataclass(frozen=True, slots=True)
class LedgerPosition:
    """How far a partition is credited."""

    topic: str
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Leaders:
    """The owners who have earned most, ties in order of their ids.

    Attributes:
        owners: the first of them.
        owners_credited: how many there are.
        credit_micros: all micro-credits of the ledger.
        unattributed_micros: those of them that are on the account `unattributed`, which is no owner.
        positions: up to which the totals go, in order of topic and partition.
    """

    owners: tuple[Leader, ...]
    owners_credited: int
    credit_micros: int
    unattributed_micros: int
    positions: tuple[LedgerPosition, ...]


@dataclass(frozen=True, slots=True)
class OwnerCredits:
    """An owner's total in micro-credits; `ever_credited` distinguishes a total of 0 from no total."""

    owner_id: str
    credit_micros: int
    ever_credited: bool


@dataclass(frozen=True, slots=True)
class OwnersCredits:
    """What these owners have earned, each once, in the order asked for."""

    owners: tuple[OwnerCredits, ...]


def leaders(accounts: Accounts, limit: int) -> Leaders:
    """Read all totals, and return those of the owners who have earned most. Raises as `Accounts` does."""
    totals = read_totals(accounts)
    owners = [balance for balance in totals.balances if balance.owner_id != UNATTRIBUTED]
    first = nsmallest(limit, owners, key=lambda balance: (-balance.micros, balance.owner_id))
    return Leaders(
        tuple(Leader(balance.owner_id, balance.micros) for balance in first),
        len(owners),
        totals.micros,
        totals.micros - sum(balance.micros for balance in owners),
        tuple(
            LedgerPosition(topic, number, position.next_offset)
            for (topic, number), position in sorted(totals.positions.items())
        ),
    )


def owners_credits(accounts: Accounts, owner_ids: Sequence[str]) -> OwnersCredits:
    """Return the totals of these owners. Raises as `Accounts` does."""
    totals = accounts.totals(owner_ids)
    return OwnersCredits(
        tuple(
            OwnerCredits(owner_id, totals.get(owner_id, 0), owner_id in totals) for owner_id in dict.fromkeys(owner_ids)
        )
    )
