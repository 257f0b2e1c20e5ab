"""Dashboard *Worker*: does it keep up, where does its time go, and are its attributions any good?"""

from typing import Final

from gmv.dashboards.panels import Colour, Dashboard, Kind, Panel, Row, Scale, Unit, quantile
from gmv.dashboards.worker_insides import INDEXES, PROCESSES, QUALITY, WHERE_TIME_GOES

GREEN, ORANGE, PURPLE, RED, YELLOW = Colour.GREEN, Colour.ORANGE, Colour.PURPLE, Colour.RED, Colour.YELLOW

OUTCOMES: Final = {"credited": GREEN, "dead_lettered": RED, "duplicate": YELLOW}

LATENESS: Final = Scale(GREEN, ((30, ORANGE), (60, RED)))
"""Seconds: the objective is 60, for 99 of 100 events; its alerts are in rules.yaml."""

POISON: Final = Scale(GREEN, ((0.01, ORANGE), (0.05, RED)))
"""Share of records: from 5 % on an alert fires; at 50 % of 1,000 a worker stops (worker.dead_letters_ratio_max)."""

AT_A_GLANCE = Row(
    "At a glance",
    (
        Panel(
            Kind.STAT,
            "Workers ready",
            Unit.COUNT,
            {"ready": 'sum(gmv_probe_passes{probe="readyz"}) or vector(0)'},
            "Workers whose /readyz passes: index loaded, partitions assigned, Kafka and ledger there. Red: none.",
            width=3,
            scale=Scale(RED, ((1, GREEN),)),
        ),
        Panel(
            Kind.STAT,
            "Workers not ready",
            Unit.COUNT,
            {"not ready": 'count(gmv_build_info) - sum(gmv_probe_passes{probe="readyz"})'},
            "Workers that answer, and whose /readyz fails. Some seconds at a start are normal.",
            width=3,
            scale=Scale(GREEN, ((1, ORANGE),)),
        ),
        Panel(
            Kind.STAT,
            "Throughput",
            Unit.EVENTS_PER_SECOND,
            {"events": "sum(rate(gmv_events_total[$__rate_interval])) or vector(0)"},
            "Records of all outcomes per second, all workers together.",
            width=3,
        ),
        Panel(
            Kind.STAT,
            "Saturation",
            Unit.RATIO,
            {"busy": "sum(rate(gmv_stage_seconds_sum[$__rate_interval])) / scalar(count(gmv_build_info))"},
            "Share of their time that workers spend on runs. Near 100 % they can take no more: add workers, up "
            "to the number of partitions.",
            width=3,
            scale=Scale(GREEN, ((0.7, ORANGE), (0.9, RED))),
        ),
        Panel(
            Kind.STAT,
            "Lag",
            Unit.COUNT,
            {"records": "sum(gmv_lag_records) or sum(gmv_ledger_lag_records)"},
            "Records in the log beyond the ledger's position, all partitions together; while no worker reports, as the "
            "audit sees it.",
            width=3,
        ),
        Panel(
            Kind.STAT,
            "Lag in time",
            Unit.SECONDS,
            {"oldest": "max(gmv_lag_seconds)"},
            "Longest that a record of any partition can have waited without credit. Red: beyond the objective of 60 s.",
            width=3,
            scale=LATENESS,
        ),
        Panel(
            Kind.STAT,
            "Event to credit, p99",
            Unit.SECONDS,
            {"p99": quantile(0.99, "gmv_event_to_credit_seconds")},
            "99 of 100 records were committed within this time of their time stamp in the log.",
            width=3,
            scale=LATENESS,
        ),
        Panel(
            Kind.STAT,
            "Dead letters",
            Unit.RATIO,
            {
                "of records": (
                    'sum(rate(gmv_events_total{outcome="dead_lettered"}[$__rate_interval])) / '
                    "sum(rate(gmv_events_total[$__rate_interval]))"
                )
            },
            "Share of records that could not be credited. See dashboard Dead letters.",
            width=3,
            scale=POISON,
        ),
    ),
)
KEEPING_UP = Row(
    "Keeping up",
    (
        Panel(
            Kind.STACK,
            "Throughput by outcome",
            Unit.EVENTS_PER_SECOND,
            {"{{outcome}}": "sum by (outcome) (rate(gmv_events_total[$__rate_interval]))"},
            "What became of the records: credited, dead-lettered, or credited before (duplicate). Exactly one "
            "of these.",
            colours=OUTCOMES,
        ),
        Panel(
            Kind.LINES,
            "Arriving and done",
            Unit.EVENTS_PER_SECOND,
            {
                "arriving": (
                    "clamp_min(sum(rate(gmv_events_total[$__rate_interval])) + "
                    "sum(deriv(gmv_lag_records[$__rate_interval])), 0)"
                ),
                "done": "sum(rate(gmv_events_total[$__rate_interval]))",
            },
            "Records that arrive in the log (from the growth of lag) against those done. Arriving above done: "
            "lag grows.",
            colours={"arriving": PURPLE, "done": GREEN},
        ),
        Panel(
            Kind.LINES,
            "Throughput by worker",
            Unit.EVENTS_PER_SECOND,
            {"{{instance}}": "sum by (instance) (rate(gmv_events_total[$__rate_interval]))"},
            "Records per second of each worker. Uneven where partitions are: a worker per partition is the most"
            " there is.",
        ),
        Panel(
            Kind.LINES,
            "Lag in records",
            Unit.COUNT,
            {"{{topic}}[{{partition}}]": "max by (topic, partition) (gmv_lag_records)"},
            "Records beyond the ledger's position, by partition. One that grows alone is fed by a hot key, or "
            "is stuck.",
        ),
        Panel(
            Kind.LINES,
            "Lag in time",
            Unit.SECONDS,
            {"{{topic}}[{{partition}}]": "max by (topic, partition) (gmv_lag_seconds)"},
            "Longest that a record without credit can have waited, by partition.",
            scale=LATENESS,
        ),
        Panel(
            Kind.LINES,
            "Event to credit",
            Unit.SECONDS,
            {
                "p50": quantile(0.5, "gmv_event_to_credit_seconds"),
                "p90": quantile(0.9, "gmv_event_to_credit_seconds"),
                "p99": quantile(0.99, "gmv_event_to_credit_seconds"),
            },
            "From a record's time stamp in the log to the commit that processed it. Read off buckets: within a "
            "factor of 3.",
            scale=LATENESS,
            colours={"p50": GREEN, "p90": YELLOW, "p99": RED},
        ),
    ),
)

WORKER: Final = Dashboard(
    "gmv-worker",
    "gmv / Worker",
    "Do the workers keep up, where does their time go, and are their attributions any good?",
    (AT_A_GLANCE, KEEPING_UP, WHERE_TIME_GOES, QUALITY, INDEXES, PROCESSES),
    worker_is_chosen=True,
)
