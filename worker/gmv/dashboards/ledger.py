"""Dashboard *Ledger*: is every credit accounted for, committed smoothly, and is any about to be lost?"""

from typing import Final

from gmv.dashboards.panels import Colour, Dashboard, Kind, Panel, Row, Scale, Unit, quantile

BLUE, GREEN, ORANGE, PURPLE, RED, YELLOW = (
    Colour.BLUE,
    Colour.GREEN,
    Colour.ORANGE,
    Colour.PURPLE,
    Colour.RED,
    Colour.YELLOW,
)

ANSWERS: Final = {
    "committed": GREEN,
    "already_committed": BLUE,
    "duplicate": YELLOW,
    "fenced": ORANGE,
    "rewound": RED,
    "missing": RED,
    "out_of_range": RED,
}

AT_A_GLANCE = Row(
    "At a glance",
    (
        Panel(
            Kind.STAT,
            "Ledger",
            Unit.COUNT,
            {"state": 'min(gmv_ledger_state{state="sound"})'},
            "What `gmv ledger audit` found at its last look: every partition has a position, inside its log.",
            width=4,
            scale=Scale(RED, ((1, GREEN),)),
            words={0: "not sound", 1: "sound"},
        ),
        Panel(
            Kind.STAT,
            "Conservation failures",
            Unit.COUNT,
            {"complaints": "max(gmv_ledger_complaints)"},
            "Things that did not add up when all totals were last checked. Anything but 0 is a fault of gmv, or"
            " somebody wrote to the ledger: stop the workers.",
            width=4,
            scale=Scale(GREEN, ((1, RED),)),
        ),
        Panel(
            Kind.STAT,
            "Since the last check",
            Unit.SECONDS,
            {"ago": "time() - max(gmv_ledger_checked_timestamp_seconds)"},
            "Time since all totals were added up. Twice the pause of the audit (an hour) is too long.",
            width=4,
            scale=Scale(GREEN, ((7200, RED),)),
        ),
        Panel(
            Kind.STAT,
            "Credits in the ledger",
            Unit.CREDITS,
            {"credits": "sum(gmv_ledger_credits_micros) / 1e6"},
            "All credits ever committed, in the ledger's own count.",
            width=4,
        ),
        Panel(
            Kind.STAT,
            "Rewound in a day",
            Unit.COUNT,
            {"times": 'round(sum(increase(gmv_positions_moved_total{answer="rewound"}[1d])))'},
            "Times the server had lost acknowledged writes. The credits were made again; the server's "
            "durability is not what gmv needs.",
            width=4,
            scale=Scale(GREEN, ((0.5, RED),)),
        ),
        Panel(
            Kind.STAT,
            "Retention used by lag",
            Unit.RATIO,
            {"worst": "max(gmv_ledger_lag_records / (gmv_ledger_lag_records + gmv_ledger_headroom_records > 0))"},
            "Share of the retained log that is not credited yet, of the worst partition. At 100 % the next "
            "deletion loses records for good.",
            width=4,
            scale=Scale(GREEN, ((0.5, ORANGE), (0.8, RED))),
        ),
    ),
)
COMMITS = Row(
    "Commits",
    (
        Panel(
            Kind.LINES,
            "Credits per second",
            Unit.CREDITS_PER_SECOND,
            {"credits": "sum(rate(gmv_credits_micros_total[$__rate_interval])) / 1e6"},
            "Credits that workers committed: one per event, times its quality and the weights of its images.",
            colours={"credits": GREEN},
        ),
        Panel(
            Kind.STACK,
            "Commits by answer",
            Unit.PER_SECOND,
            {"{{answer}}": "sum by (answer) (rate(gmv_commits_total[$__rate_interval]))"},
            "What the ledger answered. committed and, after a lost reply, already_committed are good; "
            "duplicate: another partition was quicker with the same event; the others changed nothing, and say "
            "that somebody else moved on (fenced), or that the server lost data (rewound, missing).",
            colours=ANSWERS,
        ),
        Panel(
            Kind.LINES,
            "Time of a commit",
            Unit.SECONDS,
            {
                "commit p50": quantile(0.5, "gmv_stage_seconds", '{stage="commit"}'),
                "commit p99": quantile(0.99, "gmv_stage_seconds", '{stage="commit"}'),
                "known p50": quantile(0.5, "gmv_stage_seconds", '{stage="known"}'),
                "known p99": quantile(0.99, "gmv_stage_seconds", '{stage="known"}'),
            },
            "Seconds per run in the ledger: the commit, and the look for known events before it.",
            colours={"commit p50": GREEN, "commit p99": RED, "known p50": BLUE, "known p99": PURPLE},
        ),
        Panel(
            Kind.LINES,
            "Positions moved by others",
            Unit.COUNT,
            {"{{answer}}": "round(sum by (answer) (increase(gmv_positions_moved_total[10m])))"},
            "Positions found elsewhere than a worker left them, in ten minutes. fenced: another worker took the"
            " partition over, normal in a rebalance. rewound: the server lost acknowledged writes.",
            colours=ANSWERS,
        ),
        Panel(
            Kind.LINES,
            "Duplicates",
            Unit.EVENTS_PER_SECOND,
            {"duplicates": 'sum(rate(gmv_events_total{outcome="duplicate"}[$__rate_interval]))'},
            "Events that were credited before and sent again, per second. They cost no computing and no credit.",
            colours={"duplicates": YELLOW},
        ),
        Panel(
            Kind.BARS,
            "Records in the ledger's count",
            Unit.COUNT,
            {"{{outcome}}": "sum by (outcome) (gmv_ledger_events)"},
            "What became of all records since the ledger began, as it counts them itself.",
            colours={"credited": GREEN, "dead_lettered": RED, "duplicate": YELLOW},
        ),
    ),
)
POSITIONS = Row(
    "Positions against the log",
    (
        Panel(
            Kind.LINES,
            "Position headroom",
            Unit.COUNT,
            {"{{topic}}[{{partition}}]": "min by (topic, partition) (gmv_ledger_headroom_records)"},
            "Records between the start of the log and the ledger's position, by partition. Below 0, retention "
            "took records that were never credited.",
            minimum=None,
        ),
        Panel(
            Kind.LINES,
            "Retention used by lag",
            Unit.RATIO,
            {
                "{{topic}}[{{partition}}]": "gmv_ledger_lag_records "
                "/ (gmv_ledger_lag_records + gmv_ledger_headroom_records > 0)"
            },
            "Share of the retained log that is not credited yet, by partition.",
            scale=Scale(GREEN, ((0.5, ORANGE), (0.8, RED))),
            maximum=1.0,
        ),
        Panel(
            Kind.LINES,
            "Lag, workers or none",
            Unit.COUNT,
            {"{{topic}}[{{partition}}]": "max by (topic, partition) (gmv_ledger_lag_records)"},
            "Records beyond the ledger's position, as the audit sees them: also while no worker runs.",
        ),
        Panel(
            Kind.LINES,
            "Behind open transactions",
            Unit.COUNT,
            {
                "{{topic}}[{{partition}}]": (
                    "max by (topic, partition) (gmv_lag_high_watermark_records - gmv_lag_records) or "
                    "max by (topic, partition) (gmv_ledger_lag_high_watermark_records - gmv_ledger_lag_records)"
                )
            },
            "Records from the first of an open transaction on, which no lag counts: nothing is credited there before "
            "it ends. One that only grows is a transaction that nobody ends.",
        ),
        Panel(
            Kind.STACK,
            "State of the ledger",
            Unit.COUNT,
            {"{{state}}": "max by (state) (gmv_ledger_state)"},
            "What the audit found: sound; missing, no ledger or a partition without a position; refused, "
            "damaged or closed to this user; outside_log, a position that retention passed or a topic made "
            "again; unreachable and log_unreachable, a server that is away.",
            width=16,
            colours={
                "sound": GREEN,
                "missing": RED,
                "refused": RED,
                "outside_log": RED,
                "unreachable": ORANGE,
                "log_unreachable": YELLOW,
            },
            maximum=1.0,
        ),
    ),
)

LEDGER: Final = Dashboard(
    "gmv-ledger",
    "gmv / Ledger",
    "Is every credit accounted for, are credits committed smoothly, and is any record about to be lost?",
    (AT_A_GLANCE, COMMITS, POSITIONS),
)
