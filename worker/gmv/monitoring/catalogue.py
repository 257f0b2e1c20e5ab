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
"""Stands for a step: what the kernel is not made for, such as token sets of unequal size."""

# From a commit's round trip on one host, 0.3 ms, up to 30 s: half of the default rebalance time-out, which a run may
# not pass. Three per decade: a quantile read off them is within a factor of about two, which is enough to say which
# stage has grown, and keeps eight stages to about a hundred series.
STAGE_SECONDS_BUCKETS: Final = (0.0003, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0)

# Powers of two around the default limit of 128 records, up to the largest that the settings allow.
RUN_RECORDS_BUCKETS: Final = (1, 4, 16, 32, 64, 128, 256, 512, 1024, 1500)

# 1 where one image takes all, K where all share evenly; K is 10 by default. Halves keep 1 and 10 off an edge, where
# rounding would decide.
EFFECTIVE_CONTRIBUTORS_BUCKETS: Final = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 30.5, 100.5, 1000.5)

# A worker that keeps up credits within a fetch wait and a run, so below 1 s; a rebalance costs up to a minute; at
# 300 s the stuck detector ends the worker; beyond that it is a backlog, told from hours to a day.
EVENT_TO_CREDIT_SECONDS_BUCKETS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86_400.0)


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
        self.dead_letters = Counter("gmv_dead_letters", "Records dead-lettered.", ["reason"], registry=registry)
        self.commits = Counter("gmv_commits", "Commits, by the ledger's answer.", ["answer"], registry=registry)
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
        self.position_headroom_records = Gauge(
            "gmv_position_headroom_records",
            "The ledger's position minus the start of the log: below zero, retention took uncredited records.",
            partition,
            registry=registry,
        )
        self.assigned_partitions = Gauge("gmv_assigned_partitions", "Partitions this worker owns.", registry=registry)

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
        for step in (*RERANK_STEPS.values(), GENERAL_TRANSPORT):
            self.rerank_candidates.labels(step)
        for stage in Stage:
            self.stage_failures.labels(stage)
            self.stage_seconds.labels(stage)
