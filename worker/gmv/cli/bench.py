"""`gmv bench`: how fast it is on this machine, beside a baseline measured in the same run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmv.cli.options import (
    BrokersOption,
    CandidatesOption,
    ConfigOption,
    ContributorsOption,
    IndexOption,
    JsonOption,
    LedgerOption,
    load_settings,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.settings import KafkaSettings, LedgerSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)

RoundsOption = Annotated[
    int, typer.Option("--rounds", metavar="N", min=1, help="Passes over each way, interleaved; medians are reported.")
]


@app.command()
def ledger(
    batches: Annotated[int, typer.Option("--batches", metavar="N", min=1, help="Of 128 events each, per pass.")] = 200,
    rounds: RoundsOption = 7,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, help="Of the batches.")] = 1,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the commit script's owner increments per second against HINCRBY in a pipeline, and against SQLite.

    Needs a Redis server that may be written to; the bench's own keys are removed when it ends.
    """
    settings = load_settings(config, ledger=ledger)
    _require_redis(settings.ledger)
    from gmv.bench.ledger import bench_ledger
    from gmv.cli.output import print_result

    result = bench_ledger(settings.ledger, batches, rounds, seed)
    print_result(result, json, lambda: _ledger_table(result))


@app.command()
def stream(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="JSON lines for several runs, such as those `gmv demo` makes.")
    ],
    index: IndexOption = None,
    rounds: RoundsOption = 3,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure events per second of computing alone, from a file into SQLite, and from Kafka into Redis.

    Needs a Kafka broker and a Redis server that may be written to; the bench's own topics and keys are removed when
    it ends.
    """
    settings = load_settings(
        config, index=index, brokers=brokers, ledger=ledger, candidates=candidates, contributors=contributors
    )
    _require_redis(settings.ledger)
    _require_kafka(settings.kafka)
    from gmv.threads import limit_threads

    limit_threads(settings.worker.threads)
    from gmv.bench.stream import bench_stream
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import print_result

    result = bench_stream(events, open_verified(settings), settings, rounds)
    print_result(result, json, lambda: _stream_tables(result))


def _require_redis(ledger: "LedgerSettings") -> None:
    from gmv.errors import InvalidSettings

    if ledger.url.startswith("sqlite:"):
        raise InvalidSettings(
            f"ledger.url is {ledger.url}, and the bench needs a Redis server that may be written to: start one, as by "
            "`redis-server --port 6379`, and give --ledger redis://localhost:6379/0"
        )


def _require_kafka(kafka: "KafkaSettings") -> None:
    """Tell now, and not after the first passes, that a broker is away."""
    from gmv.stream.kafka.admin import TopicAdmin

    TopicAdmin(kafka).close()


def _ledger_table(result: dict[str, Any]) -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import table

    ways = {"commit": "gmv's commit, Redis", "hincrby": "HINCRBY in a pipeline (baseline)", "sqlite": "SQLite"}
    baseline = result["hincrby_owner_increments_per_second"]
    rates = {told: result[f"{way}_owner_increments_per_second"] for way, told in ways.items()}
    return Group(
        f"{result['events_per_batch']} events in a batch, {result['owner_increments_per_batch']:.0f} owner increments",
        table(
            None,
            ["", "increments/s", "ratio"],
            [[told, f"{rate:,.0f}", f"{rate / baseline:.2f}"] for told, rate in rates.items()],
            numbers=["increments/s", "ratio"],
        ),
        f"Baseline: {result['baseline']}",
    )


def _stream_tables(result: dict[str, Any]) -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import table

    ways = {"compute": "computing alone (baseline)", "file_sqlite": "file to SQLite", "kafka_redis": "Kafka to Redis"}
    baseline = result["compute_events_per_second"]
    rates = {told: result[f"{way}_events_per_second"] for way, told in ways.items()}
    seconds = sum(result["stage_seconds"].values())
    return Group(
        f"{result['events']:,} events, {result['candidates']} candidates, {result['contributors']} contributors",
        table(
            None,
            ["", "events/s", "ratio"],
            [[told, f"{rate:,.0f}", f"{rate / baseline:.2f}"] for told, rate in rates.items()],
            numbers=["events/s", "ratio"],
        ),
        table(
            "File to SQLite, by stage",
            ["stage", "seconds", "share"],
            [
                [stage, f"{spent:,.2f}", f"{spent / seconds if seconds else 0:.1%}"]
                for stage, spent in result["stage_seconds"].items()
            ],
            numbers=["seconds", "share"],
        ),
        f"A worker's memory beyond mapped files: {result['worker_anonymous_bytes_max'] / 2**20:,.0f} MiB at most",
    )
