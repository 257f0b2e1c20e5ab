"""The owners who have earned most, as a sorted set in Redis that any program can read in a millisecond.

It is derived: made from the books by passing over them, never written by a commit, and made again by the next pass
however the last one ended. Each of its writes is a single command that may be applied twice. There is no MULTI
among them, here least of all: a server that was cut off inside one, and restarted, can take what follows it in the
append-only file for its inside, and that would be commits of the ledger.
"""

from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from gmv.ledger.port import Balance, Sums
from gmv.ledger.redis.accounts import RedisAccounts
from gmv.ledger.redis.keys import leaderboard_about_key, leaderboard_draft_key, leaderboard_key
from gmv.ledger.redis.server import RedisServer
from gmv.settings import LedgerSettings
from gmv.valuation.evidence import UNATTRIBUTED

COMMANDS: Final = ("hmget", "hscan", "del", "zadd", "copy", "hset")
"""What its Redis user must be allowed to run: the first two on `%R~<namespace>:*`, all on `~<leaderboard>*`."""

_OWNERS_PER_COMMAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A leaderboard that was made.

    Attributes:
        owners: how many it holds.
        as_of: the ledger's sums before its owners were read; each total is no older.
    """

    owners: int
    as_of: Sums


class RedisLeaderboard:
    """Makes the leaderboard of one ledger. Connects at the first call."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._accounts = RedisAccounts(settings)
        self._server = RedisServer(settings)
        self._key = leaderboard_key(settings.namespace)
        self._draft = leaderboard_draft_key(settings.namespace)
        self._about = leaderboard_about_key(settings.namespace)

    def sums(self) -> Sums:
        """Return what the ledger counts now. Raises as `Accounts` does."""
        return self._accounts.sums()

    def make(self, limit: int) -> Made:
        """Pass over all owners, page by page, and put those who have earned most in the old leaderboard's place.

        Commits go on meanwhile; each score is a total that its owner had at some moment of the pass. Readers see the
        old leaderboard until the new one is whole.

        Args:
            limit: how many owners it holds at most; so many are kept in memory, of however many there are.

        Raises:
            LedgerMissing: there is no ledger.
            LedgerUnavailable: the server is away.
            LedgerRefused: this user may not, or a total is damaged.
        """
        as_of = self._accounts.sums()
        owners = (each for each in self._accounts.balances() if each.owner_id != UNATTRIBUTED)
        leaders = nsmallest(limit, owners, key=lambda each: (-each.micros, each.owner_id))
        self._publish(leaders, as_of)
        return Made(len(leaders), as_of)

    def close(self) -> None:
        """Close the connections."""
        self._accounts.close()
        self._server.close()

    def _publish(self, leaders: list[Balance], as_of: Sums) -> None:
        call = self._server.call
        call("DEL", self._draft)
        for start in range(0, len(leaders), _OWNERS_PER_COMMAND):
            page = leaders[start : start + _OWNERS_PER_COMMAND]
            call("ZADD", self._draft, *(part for each in page for part in (each.micros, each.owner_id)))
        call("HSET", self._about, "micros", as_of.micros, "credited", as_of.credited)
        if leaders:
            call("COPY", self._draft, self._key, "REPLACE")
        else:
            call("DEL", self._key)
        call("DEL", self._draft)
