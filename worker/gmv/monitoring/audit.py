"""What an audit sees of a ledger from outside: what no worker can see, least of all one that has ended.

An examination costs a few fields and is made often. A check adds up every owner's total, for which Redis stops for
seconds (1.8 s for a million owners and as many events): that is why workers do not do it, and why it is done seldom.
"""

import time
from collections.abc import Callable
from contextlib import closing

from gmv.errors import LedgerMissing, LedgerRefused, LedgerUnavailable, LogRefused, LogUnavailable, Refusal
from gmv.ledger.port import Accounts, Ledger
from gmv.ledger.position import Position
from gmv.ledger.verify import conservation
from gmv.monitoring.catalogue import AuditMetrics, LedgerState, Outcome
from gmv.monitoring.reachability import Logger
from gmv.stream.records import LogDescription

_STATES = {
    LedgerMissing: LedgerState.MISSING,
    LedgerRefused: LedgerState.REFUSED,
    LedgerUnavailable: LedgerState.UNREACHABLE,
    LogUnavailable: LedgerState.LOG_UNREACHABLE,
    LogRefused: LedgerState.LOG_UNREACHABLE,
}


class Audit:
    """Looks at a ledger and its log, and checks the totals. Changes nothing. For one thread at a time.

    The ledger is opened for each examination: one kept open would go on missing a ledger that was made again.
    """

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        open_accounts: Callable[[], Accounts],
        describe: Callable[[], LogDescription],
        metrics: AuditMetrics,
        log: Logger,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._open_ledger = open_ledger
        self._open_accounts = open_accounts
        self._describe = describe
        self._metrics = metrics
        self._log = log
        self._unix_time = unix_time
        self._described: LogDescription | None = None
        self._state: LedgerState | None = None

    def examine(self) -> LedgerState:
        """Compare the ledger's positions with its log, and return what was found."""
        reason = ""
        try:
            state = self._compare()
        except Refusal as refusal:
            if type(refusal) not in _STATES:
                raise
            state, reason = _STATES[type(refusal)], str(refusal)
            self._metrics.lag_records.clear()
            self._metrics.lag_high_watermark_records.clear()
            self._metrics.headroom_records.clear()
        if state != self._state:
            write = self._log.info if state is LedgerState.SOUND else self._log.warning
            write("ledger_seen", state=state, why=reason)
        self._state = state
        for each in LedgerState:
            self._metrics.state.labels(each).set(each is state)
        return state

    def check(self) -> bool:
        """Add up all totals, and return whether each book holds what was committed; False where it cannot be read.

        What keeps it from being read is for an examination to say.
        """
        try:
            with closing(self._open_accounts()) as accounts:
                found = conservation(accounts)
        except (LedgerMissing, LedgerRefused, LedgerUnavailable) as refusal:
            self._log.warning("ledger_not_checked", why=str(refusal))
            return False
        self._metrics.complaints.set(len(found.complaints))
        self._metrics.checked_timestamp_seconds.set(self._unix_time())
        write = self._log.info if found.conserved else self._log.warning
        write("ledger_checked", conserved=found.conserved, complaints=found.complaints, credits_micros=found.micros)
        return found.conserved

    def _compare(self) -> LedgerState:
        """Read positions first, bounds second, as a worker does: a live log only grows past a position.

        Partitions that were added to the topic are seen one examination later.
        """
        known = self._described or self._describe()
        with closing(self._open_ledger()) as ledger, closing(self._open_accounts()) as accounts:
            positions = ledger.positions(known.topic, known.bounds.keys())
            sums = accounts.sums()
        self._described = found = self._describe()
        self._metrics.credits_micros.set(sums.micros)
        for outcome, count in (
            (Outcome.CREDITED, sums.credited),
            (Outcome.DEAD_LETTERED, sums.dead_letters),
            (Outcome.DUPLICATE, sums.duplicates),
        ):
            self._metrics.events.labels(outcome).set(count)
        inside = [self._stands_inside(found, number, position) for number, position in positions.items()]
        return LedgerState.SOUND if all(inside) else LedgerState.OUTSIDE_LOG

    def _stands_inside(self, found: LogDescription, number: int, position: Position) -> bool:
        """Show how far a position is from both ends of its log, and return whether a worker could read on there."""
        if position.topic_id != found.topic_id or number not in found.bounds:
            return False
        bounds = found.bounds[number]
        labels = (found.topic, str(number))
        lag_records = bounds.end - position.next_offset
        self._metrics.lag_records.labels(*labels).set(lag_records)
        self._metrics.lag_high_watermark_records.labels(*labels).set(lag_records + bounds.unstable_records)
        self._metrics.headroom_records.labels(*labels).set(position.next_offset - bounds.start)
        return bounds.start <= position.next_offset <= bounds.end
