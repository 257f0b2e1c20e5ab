"""Every metric of gmv, in one place.

Labels are bounded: partitions, stages, outcomes, reasons and answers. An owner, image or event id is never a label,
since a time series is kept for each of its values; such ids are in the receipts.
"""

import platform
from enum import StrEnum
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from gmv import __version__
from gmv.errors import Reason
from gmv.ledger.port import (
    AlreadyCommitted,
    Answer,
    Committed,
    Duplicate,
    Fenced,
    Missing,
    OutOfRange,
    Rewound,
)
from gmv.monitoring.buckets import (
    CONTRIBUTOR_DEPTH_BUCKETS,
    EFFECTIVE_CONTRIBUTORS_BUCKETS,
    EVENT_TO_CREDIT_SECONDS_BUCKETS,
    P_VALUE_BUCKETS,
    RUN_RECORDS_BUCKETS,
    STAGE_SECONDS_BUCKETS,
)
from gmv.monitoring.index_change import IndexChange
from gmv.valuation.ranking import Step


class Stage(StrEnum):
    """Where the time of a run goes."""

    DECODE = "decode"
    KNOWN = "known"
    READ = "read"
    ENCODE = "encode"
    RECALL = "recall"
    RERANK = "rerank"
    PUBLISH = "publish"
    COMMIT = "commit"


class Outcome(StrEnum):
    """What becomes of a record: exactly one of these (I3)."""

    CREDITED = "credited"
    DEAD_LETTERED = "dead_lettered"
    DUPLICATE = "duplicate"


ANSWERS: Final[dict[type[Answer], str]] = {
    Committed: "committed",
    AlreadyCommitted: "already_committed",
    Duplicate: "duplicate",
    Fenced: "fenced",
    Rewound: "rewound",
    Missing: "missing",
    OutOfRange: "out_of_range",
}

RERANK_STEPS: Final[dict[Step, str]] = {step: step.name.lower() for step in Step}

GENERAL_TRANSPORT: Final = "general_transport"
"""In place of a step: what the kernel is not made for, such as token sets of unequal size."""


class Unreliable(StrEnum):
    """Why an event is no evidence for its contributors."""

    FLAT = "flat"
    UNLIKE = "unlike"


class LedgerState(StrEnum):
    """What an audit finds of a ledger: one of these."""

    SOUND = "sound"
    MISSING = "missing"
    REFUSED = "refused"
    OUTSIDE_LOG = "outside_log"
    UNREACHABLE = "unreachable"
    LOG_UNREACHABLE = "log_unreachable"


class Probe(StrEnum):
    """What Kubernetes asks a worker."""

    LIVEZ = "livez"
    READYZ = "readyz"


MOVES: Final = {answer: ANSWERS[answer] for answer in (Fenced, Rewound)}
"""Answers that say that a position is not where this worker left it."""


class Metrics:
    """The metrics of one worker, on a registry of its own. Every series that can exist from the start does, at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Without this, each counter gets a second series, of no use to a rate.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=registry)

        self.events = Counter(
            "gmv_events", "Records processed, by what became of them.", ["outcome"], registry=registry
        )
        self.credits_micros = Counter("gmv_credits_micros", "Micro-credits committed.", registry=registry)
        self.nobody_left = Counter(
            "gmv_events_nobody_left",
            "Events credited to nobody, since all training images recalled for them are opted out.",
            registry=registry,
        )
        self.unreliable = Counter(
            "gmv_events_unreliable",
            "Events credited whose evidence is not reliable, by why; valuation.evidence decides who is paid.",
            ["reason"],
            registry=registry,
        )
        for why in Unreliable:
            self.unreliable.labels(why)
        self.unattributed_micros = Counter(
            "gmv_unattributed_micros",
            "Micro-credits that the account `unattributed` was credited in place of contributors.",
            registry=registry,
        )
        self.dead_letters = Counter("gmv_dead_letters", "Records dead-lettered.", ["reason"], registry=registry)
        self.commits = Counter("gmv_commits", "Commits, by the ledger's answer.", ["answer"], registry=registry)
        self.positions_moved = Counter(
            "gmv_positions_moved",
            "Positions found elsewhere than this worker left them, at a commit or a look, by what that means.",
            ["answer"],
            registry=registry,
        )
        self.instance_id_conflicts = Counter(
            "gmv_instance_id_conflicts",
            "Looks that found another worker under this worker's kafka.instance_id.",
            registry=registry,
        )
        self.stage_failures = Counter(
            "gmv_stage_failures", "Exceptions that ended a stage, poison excepted.", ["stage"], registry=registry
        )

        self.rerank_candidates = Counter(
            "gmv_rerank_candidates",
            "Recalled training images, by the step of the re-rank that was their last.",
            ["step"],
            registry=registry,
        )

        self.stage_seconds = Histogram(
            "gmv_stage_seconds",
            "Time a run spends in a stage.",
            ["stage"],
            buckets=STAGE_SECONDS_BUCKETS,
            registry=registry,
        )
        self.run_records = Histogram(
            "gmv_run_records", "Records per committed run.", buckets=RUN_RECORDS_BUCKETS, registry=registry
        )
        self.effective_contributors = Histogram(
            "gmv_effective_contributors",
            "Training images that share an event's credit: exp of the entropy of their utilities.",
            buckets=EFFECTIVE_CONTRIBUTORS_BUCKETS,
            registry=registry,
        )
        self.evidence_p_value = Histogram(
            "gmv_evidence_p_value_ratio",
            "Share of images without a source that would be as near to one training image as the event's is.",
            buckets=P_VALUE_BUCKETS,
            registry=registry,
        )
        self.contributor_depth_ratio = Histogram(
            "gmv_contributor_depth_ratio",
            "Where an event's contributors were among the recalled images, in order of recall: 0 first, 1 last.",
            buckets=CONTRIBUTOR_DEPTH_BUCKETS,
            registry=registry,
        )
        self.event_to_credit_seconds = Histogram(
            "gmv_event_to_credit_seconds",
            "From the record's time stamp in the log to the commit that processed it.",
            buckets=EVENT_TO_CREDIT_SECONDS_BUCKETS,
            registry=registry,
        )

        partition = ["topic", "partition"]
        self.lag_records = Gauge(
            "gmv_lag_records", "End of the log minus the ledger's position.", partition, registry=registry
        )
        self.lag_high_watermark_records = Gauge(
            "gmv_lag_high_watermark_records",
            "High watermark of the log minus the ledger's position: with records of an open transaction, and all "
            "behind its first, which are no part of gmv_lag_records.",
            partition,
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "gmv_lag_seconds",
            "Longest that a record which is not credited yet can have waited in the log.",
            partition,
            registry=registry,
        )
        self.position_headroom_records = Gauge(
            "gmv_position_headroom_records",
            "The ledger's position minus the start of the log: below zero, retention took uncredited records.",
            partition,
            registry=registry,
        )
        self.assigned_partitions = Gauge("gmv_assigned_partitions", "Partitions this worker owns.", registry=registry)

        self.probe_passes = Gauge("gmv_probe_passes", "1 where a probe passes.", ["probe"], registry=registry)

        self.index_recall_ratio = Gauge(
            "gmv_index_recall_ratio",
            "Share of the nearest training images that recall finds, as it was measured when the index was built.",
            ["nearest"],
            registry=registry,
        )
        self.index_changes = Counter("gmv_index_changes", "Indexes published.", ["outcome"], registry=registry)
        self.index_refused = Gauge("gmv_index_refused", "1 where the published index was refused.", registry=registry)
        self.index = Info("gmv_index", "The index in use, and the encoder that built it.", registry=registry)
        self.settings = Info("gmv_settings", "Digest of what decides a credit in the settings.", registry=registry)
        build = Info("gmv_build", "This program.", registry=registry)
        build.info({"version": __version__, "python": platform.python_version()})

        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """A rate over a series that appears with its first event misses that event."""
        for outcome in Outcome:
            self.events.labels(outcome)
        for reason in Reason:
            self.dead_letters.labels(reason)
        for answer in ANSWERS.values():
            self.commits.labels(answer)
        for move in MOVES.values():
            self.positions_moved.labels(move)
        for step in (*RERANK_STEPS.values(), GENERAL_TRANSPORT):
            self.rerank_candidates.labels(step)
        for change in IndexChange:
            self.index_changes.labels(change)
        for stage in Stage:
            self.stage_failures.labels(stage)
            self.stage_seconds.labels(stage)


class AuditMetrics:
    """The metrics of an audit: what the ledger itself holds, workers or none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=registry)

        self.state = Gauge("gmv_ledger_state", "1 for the state found at the last look.", ["state"], registry=registry)
        partition = ["topic", "partition"]
        self.lag_records = Gauge(
            "gmv_ledger_lag_records", "End of the log minus the ledger's position.", partition, registry=registry
        )
        self.lag_high_watermark_records = Gauge(
            "gmv_ledger_lag_high_watermark_records",
            "High watermark of the log minus the ledger's position, records behind an open transaction included.",
            partition,
            registry=registry,
        )
        self.headroom_records = Gauge(
            "gmv_ledger_headroom_records",
            "The ledger's position minus the start of the log.",
            partition,
            registry=registry,
        )
        self.events = Gauge("gmv_ledger_events", "Records in the ledger's own count.", ["outcome"], registry=registry)
        self.credits_micros = Gauge(
            "gmv_ledger_credits_micros", "Micro-credits ever committed, in the ledger's own count.", registry=registry
        )
        self.complaints = Gauge(
            "gmv_ledger_complaints", "Things that did not add up at the last check of all totals.", registry=registry
        )
        self.checked_timestamp_seconds = Gauge(
            "gmv_ledger_checked_timestamp_seconds",
            "When the last check of all totals ended, sound or not; 0 before the first.",
            registry=registry,
        )
        for state in LedgerState:
            self.state.labels(state).set(0)
