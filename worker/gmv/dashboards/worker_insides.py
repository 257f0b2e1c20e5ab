"""The lower half of dashboard *Worker*: what is asked once something is wrong."""

from gmv.dashboards.panels import Colour, Kind, Panel, Row, Scale, Unit, quantile

GREEN, ORANGE, RED, YELLOW = Colour.GREEN, Colour.ORANGE, Colour.RED, Colour.YELLOW


WHERE_TIME_GOES = Row(
    "Where time goes",
    (
        Panel(
            Kind.STACK,
            "Time of a worker, by stage",
            Unit.RATIO,
            {
                "{{stage}}": "sum by (stage) (rate(gmv_stage_seconds_sum[$__rate_interval])) "
                "/ scalar(count(gmv_build_info))"
            },
            "Share of a worker's time in each stage, mean of all workers. What is left below 100 % is waiting "
            "for records.",
            maximum=1.0,
        ),
        Panel(
            Kind.STACK,
            "Time of a record, by stage",
            Unit.SECONDS,
            {
                "{{stage}}": (
                    "sum by (stage) (rate(gmv_stage_seconds_sum[$__rate_interval])) / "
                    "scalar(sum(rate(gmv_run_records_sum[$__rate_interval])))"
                )
            },
            "Seconds of each stage per record. A stage that grew says what to look at: read and encode, images;"
            " rerank, candidates; publish, Kafka; known and commit, the ledger's server.",
        ),
        Panel(
            Kind.LINES,
            "Records per run",
            Unit.COUNT,
            {
                "mean": (
                    "sum(rate(gmv_run_records_sum[$__rate_interval])) / "
                    "sum(rate(gmv_run_records_count[$__rate_interval]))"
                ),
                "p95": quantile(0.95, "gmv_run_records"),
            },
            "Records read, attributed and committed at once. At the limit (kafka.run_records_max, 128) under a "
            "backlog, small where workers wait for records.",
            colours={"mean": GREEN, "p95": YELLOW},
        ),
    ),
)
QUALITY = Row(
    "Quality of attributions",
    (
        Panel(
            Kind.LINES,
            "Effective contributors",
            Unit.COUNT,
            {
                "p10": quantile(0.1, "gmv_effective_contributors"),
                "p50": quantile(0.5, "gmv_effective_contributors"),
                "p90": quantile(0.9, "gmv_effective_contributors"),
            },
            "Over how many training images an event's credit is spread: 1, all to one; K, evenly to all. Near K"
            " throughout, distances hardly differ and the temperature is too high for this encoder; near 1 throughout,"
            " it is too low, or generated images are copies. `gmv calibrate` says which.",
        ),
        Panel(
            Kind.LINES,
            "Evidence of events",
            Unit.RATIO,
            {
                "p10": quantile(0.1, "gmv_evidence_p_value_ratio"),
                "p50": quantile(0.5, "gmv_evidence_p_value_ratio"),
                "p90": quantile(0.9, "gmv_evidence_p_value_ratio"),
            },
            "p-values: how many images without a source would be as near to one training image. Evenly from 0 to 1 "
            "(p50 at .5): events resemble no training image more than photographs of the corpus's kind do.",
            width=12,
            maximum=1.0,
        ),
        Panel(
            Kind.LINES,
            "Unreliable events",
            Unit.PER_SECOND,
            {"{{reason}}": "sum by (reason) (rate(gmv_events_unreliable_total[$__rate_interval]))"},
            "Credited events that are no evidence for their contributors: flat pictures, and those unlike any training "
            "image. With valuation.evidence their credit goes to the account unattributed.",
            width=12,
        ),
        Panel(
            Kind.LINES,
            "Contributors at the end of recall",
            Unit.RATIO,
            {
                "in the last tenth": (
                    '1 - sum(rate(gmv_contributor_depth_ratio_bucket{le="0.9"}[$__rate_interval])) / '
                    "sum(rate(gmv_contributor_depth_ratio_count[$__rate_interval]))"
                )
            },
            "Share of contributors found in the last tenth of the recalled images. Recall puts the nearest "
            "first: as this nears 10 %, its order says nothing, and nearer images lie beyond the list. Raise "
            "candidates, or build an index for what the generator makes now.",
            scale=Scale(GREEN, ((0.05, ORANGE), (0.1, RED))),
        ),
        Panel(
            Kind.STACK,
            "Candidates by their last step",
            Unit.RATIO,
            {
                "{{step}}": (
                    "sum by (step) (rate(gmv_rerank_candidates_total[$__rate_interval])) / "
                    "scalar(sum(rate(gmv_rerank_candidates_total[$__rate_interval])))"
                )
            },
            "Which step of the exact re-rank ended a recalled image. The further up most end, the cheaper; "
            "general_transport is the slow solver, for tokens of another number than the index has.",
            maximum=1.0,
        ),
        Panel(
            Kind.STAT,
            "Recall when built",
            Unit.RATIO,
            {"of the 10 nearest": 'min(gmv_index_recall_ratio{nearest="10"})'},
            "Share of the 10 nearest training images that recall finds, measured when the index was built.",
            width=6,
            scale=Scale(RED, ((0.8, ORANGE), (0.95, GREEN))),
        ),
        Panel(
            Kind.STAT,
            "Events of nobody",
            Unit.COUNT,
            {"in the last hour": "sum(increase(gmv_events_nobody_left_total[1h]))"},
            "Events credited to nobody in the last hour, since all images recalled for them are opted out and left out "
            "(owners.opted_out). More candidates, valuation.candidates, find others.",
            width=6,
            scale=Scale(GREEN, ((1, ORANGE),)),
        ),
        Panel(
            Kind.STAT,
            "Indexes in use",
            Unit.COUNT,
            {"indexes": "count(count by (index_id) (gmv_index_info))"},
            "Different indexes among the workers. More than one: the same image is credited by two measures. "
            "Between two versions of an index that is the length of a roll-out.",
            width=6,
            scale=Scale(GREEN, ((2, RED),)),
        ),
        Panel(
            Kind.STAT,
            "Settings in use",
            Unit.COUNT,
            {"settings": "count(count by (digest) (gmv_settings_info))"},
            "Different settings of the valuation among the workers (digests of what decides a credit). More "
            "than one: as above.",
            width=6,
            scale=Scale(GREEN, ((2, RED),)),
        ),
    ),
)
INDEXES = Row(
    "Indexes",
    (
        Panel(
            Kind.LINES,
            "Workers by index",
            Unit.COUNT,
            {"{{index_id}}": "count by (index_id) (gmv_index_info)"},
            "Workers that credit by each index. Where another is published, one line falls as the other rises: within "
            "the time that it takes to open it.",
            width=12,
        ),
        Panel(
            Kind.LINES,
            "Indexes taken and refused",
            Unit.COUNT,
            {
                "taken in 10 minutes": 'round(sum(increase(gmv_index_changes_total{outcome="taken"}[10m])))',
                "workers that refuse what is published": "sum(gmv_index_refused)",
            },
            "Published indexes that workers took between two runs, and workers that go on by the one before it, since "
            "they cannot use what is published: index_refused in their log says why.",
            colours={"taken in 10 minutes": GREEN, "workers that refuse what is published": RED},
            width=12,
        ),
    ),
)
PROCESSES = Row(
    "Processes",
    (
        Panel(
            Kind.LINES,
            "CPU by worker",
            Unit.CORES,
            {"{{instance}}": "rate(process_cpu_seconds_total[$__rate_interval]) and on (job, instance) gmv_build_info"},
            "Cores in use. Flat at its limit: throttled, or at worker.threads.",
            width=6,
        ),
        Panel(
            Kind.LINES,
            "Memory by worker",
            Unit.BYTES,
            {"{{instance}}": "process_resident_memory_bytes and on (job, instance) gmv_build_info"},
            "Resident, the mapped index included; that part can be taken back at any time.",
            width=6,
        ),
        Panel(
            Kind.LINES,
            "Starts in the last hour",
            Unit.COUNT,
            {"{{instance}}": "changes(process_start_time_seconds[1h]) and on (job, instance) gmv_build_info"},
            "Times a worker was started again. Several: it ends by itself; its last log line and exit code say why.",
            width=6,
        ),
        Panel(
            Kind.LINES,
            "Failures by stage",
            Unit.COUNT,
            {"{{stage}}": "round(sum by (stage) (increase(gmv_stage_failures_total[10m])))"},
            "Exceptions that ended a stage in the last ten minutes, poison excepted. A server that is away for "
            "a moment shows here before the worker gives up.",
            width=6,
        ),
    ),
)
