"""What watches the worker core: from its reports to metrics, health and log lines."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from typing_extensions import override

from gmv.ledger.port import Answer, Duplicate, Fenced, Rewound
from gmv.ledger.position import Position
from gmv.monitoring.catalogue import ANSWERS, MOVES, Metrics, Outcome, Probe, Stage, Unreliable
from gmv.monitoring.health import Health
from gmv.monitoring.lag import LagClock
from gmv.monitoring.reachability import Logger
from gmv.monitoring.run_lines import RunLines
from gmv.monitoring.telemetry import StageClock
from gmv.stream.ports import MemberObserver, Observer, RunSummary
from gmv.stream.records import Bounds, Partition
from gmv.valuation.utility import effective_contributors

_TAKEN: Final = (
    "another worker of this group holds the name that kafka.instance_id gives to this one, which waits until it is "
    "free: give each worker a name of its own"
)


class Watcher(Observer, MemberObserver):
    """The `Observer` and the `MemberObserver` of a worker. Called on the event loop only; decides nothing.

    Attributes:
        clock: times the stages of the run in hand; give it to the decorators of `telemetry`.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        log: Logger,
        unix_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = StageClock(self._stage_failed)
        self._metrics = metrics
        self._health = health
        self._log = log
        self._run_lines = RunLines(log, monotonic)
        self._unix_time = unix_time
        self._lag_clock = LagClock(unix_time)
        self._next_offsets: dict[Partition, int] = {}
        self._bounds: dict[Partition, Bounds] = {}
        self._bounds_as_of = 0.0
        metrics.probe_passes.labels(Probe.LIVEZ).set_function(lambda: health.live().good)
        metrics.probe_passes.labels(Probe.READYZ).set_function(lambda: health.ready().good)

    @override
    def positions_assigned(self, positions: Mapping[Partition, Position]) -> None:
        self._next_offsets = {partition: position.next_offset for partition, position in positions.items()}
        self._lag_clock.begin()
        self._health.partitions_assigned(len(positions))
        self._health.ledger_answered()
        self._show_standing()
        self._log.info("positions_assigned", positions={str(each): at for each, at in self._next_offsets.items()})

    @override
    def bounds_read(self, bounds: Mapping[Partition, Bounds]) -> None:
        self._bounds = dict(bounds)
        self._bounds_as_of = self._unix_time()
        self._show_standing()

    @override
    def commit_refused(self, partition: Partition, answer: Answer) -> None:
        fields = {"topic": partition.topic, "partition": partition.number, "answer": ANSWERS[type(answer)]}
        self._health.ledger_answered()
        if type(answer) in MOVES:
            self._metrics.positions_moved.labels(fields["answer"]).inc()
        if isinstance(answer, Duplicate):  # a re-sent event; another commit of the same run follows
            self._log.info("commit_refused", **fields, events=len(answer.identities))
            return
        if isinstance(answer, Fenced):
            self._next_offsets.pop(partition, None)
        elif isinstance(answer, Rewound):
            self._next_offsets[partition] = answer.found.next_offset
        self.clock.lap()
        self._show_standing()
        self._log.warning("commit_refused", **fields)

    @override
    def run_finished(self, summary: RunSummary) -> None:
        self._next_offsets[summary.partition] = summary.position.next_offset
        self._lag_clock.credited(summary.partition, max(summary.timestamps_ms, default=-1))
        seconds = self.clock.lap()
        effective = [
            effective_contributors([contributor.utility for contributor in attribution.contributors])
            for attribution in summary.attributions
            if not attribution.is_nobody_left
        ]
        self._count(summary)
        self._observe(summary, seconds, effective)
        self._health.ledger_answered()
        self._health.run_finished()
        if summary.partition in self._bounds:
            self._show(summary.partition)
        self._tell_lag_to_health()
        self._run_lines.run_finished(summary, seconds, effective, self._lag_records(summary.partition))

    def look(self) -> None:
        """Write what runs came to, where that is due. Call it about every second."""
        self._run_lines.look(self._lag_records_max())

    def close(self) -> None:
        """Write what runs came to since the last time."""
        self._run_lines.write(self._lag_records_max())

    @override
    def instance_id_taken(self, host: str) -> None:
        self._metrics.instance_id_conflicts.inc()
        if self._health.name_taken(host):
            self._log.warning("instance_id_taken", held_by_worker_at=host, why=_TAKEN)

    @override
    def instance_id_free(self) -> None:
        if self._health.name_free():
            self._log.info("instance_id_free")

    def _show_standing(self) -> None:
        """Show how far each partition is from both ends of its log, of those whose ends are known."""
        metrics = self._metrics
        metrics.assigned_partitions.set(len(self._next_offsets))
        for gauge in (
            metrics.lag_records,
            metrics.lag_high_watermark_records,
            metrics.lag_seconds,
            metrics.position_headroom_records,
        ):
            gauge.clear()  # of partitions that another worker owns now, that worker reports
        for partition in self._next_offsets.keys() & self._bounds.keys():
            self._show(partition)
        self._tell_lag_to_health()

    def _show(self, partition: Partition) -> None:
        """Show one partition, whose ends are known. All of them after each run would take longer than a short run."""
        metrics, labels = self._metrics, (partition.topic, str(partition.number))
        lag_records = self._lag_records(partition) or 0
        metrics.lag_records.labels(*labels).set(lag_records)
        unstable_records = self._bounds[partition].unstable_records
        metrics.lag_high_watermark_records.labels(*labels).set(lag_records + unstable_records)
        self._lag_clock.seen(partition, lag_records, self._bounds_as_of)
        metrics.lag_seconds.labels(*labels).set_function(partial(self._lag_clock.seconds, partition))
        headroom_records = self._next_offsets[partition] - self._bounds[partition].start
        metrics.position_headroom_records.labels(*labels).set(headroom_records)

    def _tell_lag_to_health(self) -> None:
        if (lag_records := self._lag_records_max()) is not None:
            self._health.lag_seen(lag_records)

    def _lag_records_max(self) -> int | None:
        """Of the partition that is furthest behind; None where no log's end is known."""
        if not self._bounds:
            return None
        return max((self._lag_records(each) or 0 for each in self._next_offsets), default=0)

    def _lag_records(self, partition: Partition) -> int | None:
        """None where the log's end is not known; an end read before the newest run may lie below the position."""
        if partition not in self._bounds:
            return None
        return max(0, self._bounds[partition].end - self._next_offsets[partition])

    def _count(self, summary: RunSummary) -> None:
        metrics = self._metrics
        metrics.events.labels(Outcome.CREDITED).inc(summary.credited)
        metrics.events.labels(Outcome.DUPLICATE).inc(summary.duplicates)
        metrics.events.labels(Outcome.DEAD_LETTERED).inc(sum(summary.dead_letters.values()))
        for reason, count in summary.dead_letters.items():
            metrics.dead_letters.labels(reason).inc(count)
        metrics.credits_micros.inc(summary.micros)
        metrics.nobody_left.inc(sum(attribution.is_nobody_left for attribution in summary.attributions))
        metrics.unattributed_micros.inc(sum(attribution.unattributed_micros for attribution in summary.attributions))
        for evidence in (each for attribution in summary.attributions if (each := attribution.evidence) is not None):
            metrics.evidence_p_value.observe(evidence.p_value)
            if not evidence.is_reliable:
                metrics.unreliable.labels(Unreliable.FLAT if evidence.is_flat else Unreliable.UNLIKE).inc()

    def _observe(self, summary: RunSummary, seconds: Mapping[Stage, float], effective: Sequence[float]) -> None:
        metrics = self._metrics
        if summary.records:  # else nothing but marks of transactions was passed
            metrics.run_records.observe(summary.records)
        for stage, spent in seconds.items():
            metrics.stage_seconds.labels(stage).observe(spent)
        for contributors in effective:
            metrics.effective_contributors.observe(contributors)
        now = self._unix_time()
        for timestamp_ms in summary.timestamps_ms:
            if timestamp_ms >= 0:
                metrics.event_to_credit_seconds.observe(max(0.0, now - timestamp_ms / 1000))  # clocks differ

    def _stage_failed(self, stage: Stage) -> None:
        self._metrics.stage_failures.labels(stage).inc()
