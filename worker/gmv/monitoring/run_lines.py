"""Lines about runs: each with all there is to know of it, at DEBUG, and what they come to every 10 s, at INFO.

At 100 events a second runs are short: a line for each was 90 lines a second, 4 GB a day.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from gmv.monitoring.catalogue import Stage
from gmv.monitoring.reachability import Logger
from gmv.stream.ports import RunSummary

SUMMARY_SECONDS: Final = 10.0


class RunLines:
    """Writes them. Called on the event loop only."""

    def __init__(self, log: Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._begun_at = monotonic()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._stage_seconds: dict[Stage, float] = {}

    def run_finished(
        self,
        summary: RunSummary,
        seconds: Mapping[Stage, float],
        effective: Sequence[float],
        lag_records: int | None,
    ) -> None:
        """Write the line of a run, and add it up.

        Args:
            summary: of the run.
            seconds: of each of its stages.
            effective: number of contributors that share, of each event.
            lag_records: of its partition, None where the log's end is not known.
        """
        self._log.debug("run_finished", **_fields(summary, seconds, effective), lag_records=lag_records)
        self._counts.update(
            runs=1,
            records=summary.records,
            credited=summary.credited,
            duplicates=summary.duplicates,
            micros=summary.micros,
        )
        self._reasons.update(summary.dead_letters)
        for stage, spent in seconds.items():
            self._stage_seconds[stage] = self._stage_seconds.get(stage, 0.0) + spent

    def look(self, lag_records: int | None) -> None:
        """Write what runs came to, where there were any and it is due. Call it about every second.

        Args:
            lag_records: of the partition that is furthest behind, None where no log's end is known.
        """
        if not self._counts:
            self._begun_at = self._monotonic()
        elif self._monotonic() - self._begun_at >= SUMMARY_SECONDS:
            self.write(lag_records)

    def write(self, lag_records: int | None) -> None:
        """Write what runs came to since the last time, where there were any."""
        if not self._counts:
            return
        now = self._monotonic()
        stages = sorted(self._stage_seconds.items(), key=lambda item: -item[1])
        counts = {name: self._counts[name] for name in ("runs", "records", "credited", "duplicates")}
        self._log.info(
            "runs_finished",
            seconds=round(now - self._begun_at, 3),
            **counts,
            dead_letters=self._reasons.total(),
            dead_letters_by_reason=dict(self._reasons),
            micros=self._counts["micros"],
            slowest_stage=stages[0][0] if stages else None,
            stage_seconds={stage: round(spent, 3) for stage, spent in stages},
            lag_records=lag_records,
        )
        self._begun_at = now
        self._counts.clear()
        self._reasons.clear()
        self._stage_seconds.clear()


def _fields(summary: RunSummary, seconds: Mapping[Stage, float], effective: Sequence[float]) -> dict[str, Any]:
    """All there is to know of a run, on one line, so that no other line has to be joined to it."""
    return {
        "topic": summary.partition.topic,
        "partition": summary.partition.number,
        "next_offset": summary.position.next_offset,
        "batch_id": summary.position.batch_id,
        "records": summary.records,
        "credited": summary.credited,
        "duplicates": summary.duplicates,
        "dead_letters": sum(summary.dead_letters.values()),
        "dead_letters_by_reason": dict(summary.dead_letters),
        "owners": summary.owners,
        "micros": summary.micros,
        "effective_contributors_mean": round(fmean(effective), 3) if effective else None,
        "stage_seconds": {stage: round(spent, 6) for stage, spent in seconds.items()},
    }
