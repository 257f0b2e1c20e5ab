"""The section `worker`."""

from typing import Literal

from pydantic import Field

from gmv.settings.section import Bytes, Events, Ratio, Records, Seconds, Section, Workers


class WorkerSettings(Section):
    """How a worker runs; nothing here changes a credit."""

    threads: Events = Field(
        1,
        ge=1,
        description="How many events are encoded, recalled and re-ranked side by side, each by one thread. At most "
        "the number of cores; all other work takes one thread.",
    )
    web_bind: str = Field(
        "127.0.0.1", description="Address on which the pages are served; `0.0.0.0` lets other machines read them."
    )
    web_port: int = Field(6066, ge=1, le=65_535, description="Port of the pages `/metrics`, `/livez` and `/readyz`.")
    stuck_seconds: Seconds = Field(
        300.0,
        gt=0,
        description="How long a worker that has partitions and is behind may finish no run before `/livez` answers "
        "503, so that it is restarted.",
    )
    dead_letters_in_a_row_max: Records = Field(
        100,
        ge=1,
        description="How many dead letters in a row a partition may have. One more stops the worker, before that run "
        "is committed.",
    )
    dead_letters_ratio_max: Ratio = Field(
        0.5,
        description="How large a share of a partition's last 1,000 records may be dead letters. A larger one stops the "
        "worker, before that run is committed.",
    )
    crashes_per_record_max: Workers = Field(
        3,
        ge=1,
        description="How many workers may end while they attribute the same record alone, before that record is "
        "dead-lettered.",
    )
    receipt_metadata_bytes_max: Bytes = Field(
        1_024,
        ge=0,
        le=16_384,
        description="How long an event's `metadata` may be, as JSON, to be told in its receipt; 0 tells none. Receipts "
        "are read by more people than events are.",
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="Whether a log line is a JSON object, for machines, or coloured text, for a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="Which log lines are written: those of this level and of more serious ones. `debug` adds one per "
        "run of records, and lets libraries repeat themselves.",
    )
