"""How long records wait: the log's end says how many are behind, and not since when."""

from collections.abc import Callable

from gmv.monitoring.health import CAUGHT_UP_LAG_RECORDS
from gmv.stream.records import Partition


class LagClock:
    """Gives, per partition, the longest that a record which is not credited yet can have waited.

    Such a record came after the newest one credited, and after the moment at which nothing was left to credit: it waits
    for no longer than since the later of the two. Of a partition taken up behind, neither is known before its first
    run; until then it is the time since it was taken up. Assumes time stamps that do not fall along the log.
    """

    def __init__(self, unix_time: Callable[[], float]) -> None:
        self._unix_time = unix_time
        self._behind_since: dict[Partition, float] = {}
        self._nothing_older_than: dict[Partition, float] = {}

    def begin(self) -> None:
        """Forget what is known of each partition: while others owned it, they credited it."""
        self._behind_since.clear()
        self._nothing_older_than.clear()

    def credited(self, partition: Partition, timestamp_ms: int) -> None:
        """Note the time stamp of the newest record credited; below zero is unknown."""
        if timestamp_ms >= 0:
            self._advance(partition, timestamp_ms / 1_000)

    def seen(self, partition: Partition, lag_records: int, as_of: float) -> None:
        """Note how many records lie between the position and the end that the log had at a Unix time, `as_of`."""
        if lag_records > CAUGHT_UP_LAG_RECORDS:
            self._behind_since.setdefault(partition, as_of)
        else:
            self._behind_since.pop(partition, None)
            self._advance(partition, as_of)

    def seconds(self, partition: Partition) -> float:
        """Return the bound; 0 where the partition was caught up when it was last seen."""
        if partition not in self._behind_since:
            return 0.0
        since = self._nothing_older_than.get(partition, self._behind_since[partition])
        return max(0.0, self._unix_time() - since)  # clocks differ

    def _advance(self, partition: Partition, moment: float) -> None:
        self._nothing_older_than[partition] = max(moment, self._nothing_older_than.get(partition, moment))
