"""Dashboard *Dead letters*: what cannot be credited, why, and whether it is about to stop the workers."""

from typing import Final

from gmv.dashboards.panels import Colour, Dashboard, Kind, Panel, Row, Scale, Unit
from gmv.dashboards.worker import OUTCOMES, POISON

GREEN, ORANGE, RED, YELLOW = Colour.GREEN, Colour.ORANGE, Colour.RED, Colour.YELLOW


AT_A_GLANCE = Row(
    "At a glance",
    (
        Panel(
            Kind.STAT,
            "Dead letters in an hour",
            Unit.COUNT,
            {"dead letters": "round(sum(increase(gmv_dead_letters_total[1h])))"},
            "Records set aside. `gmv dlq list` shows them, `gmv dlq redrive` says which can be sent again.",
            width=6,
            scale=Scale(GREEN, ((1, ORANGE),)),
        ),
        Panel(
            Kind.STAT,
            "Share of records",
            Unit.RATIO,
            {
                "of records": 'sum(rate(gmv_events_total{outcome="dead_lettered"}[10m])) '
                "/ sum(rate(gmv_events_total[10m]))"
            },
            "Dead letters among the records of ten minutes. From 5 % on an alert fires; at 50 % of 1,000 "
            "records a worker stops, rather than drain the topic.",
            width=6,
            scale=POISON,
        ),
        Panel(
            Kind.STAT,
            "Reasons in an hour",
            Unit.COUNT,
            {"reasons": "count(sum by (reason) (increase(gmv_dead_letters_total[1h])) > 0) or vector(0)"},
            "Different reasons. One is a producer's mistake; many at once are ours, or a broken deployment.",
            width=6,
        ),
        Panel(
            Kind.STAT,
            "Ended workers",
            Unit.COUNT,
            {"records": 'round(sum(increase(gmv_dead_letters_total{reason="killed_worker"}[1d])))'},
            "Records set aside in a day because worker after worker ended over them (reason killed_worker). "
            "Each is a fault of gmv or of a library: keep the record, and report it.",
            width=6,
            scale=Scale(GREEN, ((0.5, RED),)),
        ),
    ),
)
WHY = Row(
    "Why",
    (
        Panel(
            Kind.STACK,
            "Dead letters by reason",
            Unit.RECORDS_PER_SECOND,
            {"{{reason}}": "sum by (reason) (rate(gmv_dead_letters_total[$__rate_interval])) > 0"},
            "Per second. malformed_json, invalid_event, unsupported_type: the producer; wrong_encoder, "
            "invalid_features: producer and index disagree; image_…: the image or where it is kept; "
            "id_conflict: two events of one id.",
            width=16,
        ),
        Panel(
            Kind.BARS,
            "In the last hour, by reason",
            Unit.COUNT,
            {"{{reason}}": "round(sum by (reason) (increase(gmv_dead_letters_total[1h])))"},
            "The same, counted.",
            scale=Scale(GREEN, ((1, ORANGE),)),
        ),
        Panel(
            Kind.LINES,
            "Share of records, by worker",
            Unit.RATIO,
            {
                "{{instance}}": (
                    'sum by (instance) (rate(gmv_events_total{outcome="dead_lettered"}[10m])) / sum by (instance) '
                    "(rate(gmv_events_total[10m]))"
                )
            },
            "Of ten minutes. One worker alone: its partitions' producers, or its own disk or network. All: the "
            "producers, or the settings.",
            width=12,
            scale=POISON,
        ),
        Panel(
            Kind.LINES,
            "Records, by outcome",
            Unit.RECORDS_PER_SECOND,
            {"{{outcome}}": "sum by (outcome) (rate(gmv_events_total[$__rate_interval]))"},
            "Dead letters beside what was credited: a share can also grow because good records stay away.",
            width=12,
            colours=OUTCOMES,
        ),
    ),
)

DEAD_LETTERS: Final = Dashboard(
    "gmv-dead-letters",
    "gmv / Dead letters",
    "Which records could not be credited, why, and is it one producer's mistake or everybody's?",
    (AT_A_GLANCE, WHY),
)
