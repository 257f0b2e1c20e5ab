"""Whether a worker is alive and ready, as a state machine that reads no clock of its own and asks no server.

It hears what happened and judges from that, so a probe never waits for Redis or Kafka.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from gmv.monitoring.reachability import Reachability

CAUGHT_UP_LAG_RECORDS = 1  # the end marker of a transaction is an offset that no reader ever gets


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer to a probe: good where there is nothing to complain of."""

    complaints: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether the probe passes."""
        return not self.complaints

    def page(self) -> tuple[int, bytes]:
        """Return the HTTP status and its JSON body."""
        return (200 if self.good else 503), orjson.dumps({"good": self.good, "complaints": self.complaints})


class Health:
    """Judges a worker. Called on the event loop."""

    def __init__(
        self,
        stuck_seconds: float,
        servers: Sequence[Reachability] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what is judged.

        Args:
            stuck_seconds: see `worker.stuck_seconds`.
            servers: without which a worker credits nothing.
            monotonic: clock of intervals.
        """
        self._stuck_seconds = stuck_seconds
        self._servers = servers
        self._monotonic = monotonic
        self._index_loaded = False
        self._ledger_seen = False
        self._assigned: int | None = None
        self._lag_records = 0
        self._behind_since: float | None = None
        self._name_taken_by: str | None = None
        self._heard_at = monotonic()

    def index_loaded(self) -> None:
        """Note that the index is open and verified."""
        self._index_loaded = True

    def partitions_assigned(self, count: int) -> None:
        """Note what this worker owns now; none is a fine answer: other workers have them all."""
        self._assigned = count
        self._lag_records = 0
        self._behind_since = None
        self._heard_at = self._monotonic()

    def ledger_answered(self) -> None:
        """Note that the ledger was there."""
        self._ledger_seen = True

    def name_taken(self, host: str) -> bool:
        """Note that another worker, on that host, has this one's name in the group; return whether that is new."""
        is_new = host != self._name_taken_by
        self._name_taken_by = host
        return is_new

    def name_free(self) -> bool:
        """Note that none has; return whether that is new."""
        is_new = self._name_taken_by is not None
        self._name_taken_by = None
        return is_new

    def lag_seen(self, records: int) -> None:
        """Note how far behind the partition is that is furthest behind."""
        now = self._monotonic()
        self._heard_at = now
        self._lag_records = records
        if records <= CAUGHT_UP_LAG_RECORDS:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now

    def run_finished(self) -> None:
        """Note progress."""
        self._heard_at = self._monotonic()
        if self._behind_since is not None:
            self._behind_since = self._heard_at

    def live(self) -> Verdict:
        """Judge whether to restart the worker, because it is stuck and waiting does not cure that.

        Stuck is a worker that owns partitions and is behind without finishing a run; or that has stopped looking
        at its log, as one does whose run hangs while it holds the lock that the look needs.
        """
        if not self._assigned:
            return Verdict(())
        now = self._monotonic()
        progress_seconds = 0.0 if self._behind_since is None else now - self._behind_since
        news_seconds = now - self._heard_at
        limit = f"(limit {self._stuck_seconds:g} s)"
        complaints = (
            (
                progress_seconds > self._stuck_seconds,
                f"stuck: {self._lag_records} records behind and no run finished for {progress_seconds:.0f} s {limit}",
            ),
            (
                news_seconds > self._stuck_seconds,
                f"stuck: neither a run finished nor the log's end read for {news_seconds:.0f} s {limit}",
            ),
        )
        return _verdict(complaints)

    def ready(self) -> Verdict:
        """Judge whether the worker does its work, or would if there were any."""
        complaints = (
            (not self._index_loaded, "the index is not loaded yet"),
            (self._assigned is None, "no partition assignment has been received yet"),
            (
                self._name_taken_by is not None,
                f"another worker, at {self._name_taken_by}, has this one's kafka.instance_id: give each its own",
            ),
            (not self._ledger_seen, "the ledger has not answered yet"),
        )
        away = tuple(complaint for server in self._servers if (complaint := server.complaint()))
        return Verdict(_verdict(complaints).complaints + away)


def _verdict(complaints: Iterable[tuple[bool, str]]) -> Verdict:
    return Verdict(tuple(complaint for applies, complaint in complaints if applies))
