"""`gmv bench`: how fast it is on this machine, beside a baseline measured in the same run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from gmv.settings import KafkaSettings, LedgerSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)

RoundsOption = Annotated[
    int, typer.Option("--rounds", metavar="N", min=1, help="Passes over each way, interleaved; medians are reported.")
]


@app.command()
def ledger(
    batches: Annotated[int, typer.Option("--batches", metavar="N", min=1, help="Per pass.")] = 200,
    events: Annotated[int, typer.Option("--events", metavar="N", min=1, help="In each batch.")] = 128,
    owners: Annotated[
        int,
        typer.Option(
            "--owners", metavar="N", min=1, help="Who may earn. 320 events of 200000 owners are 1,000 increments."
        ),
    ] = 500,
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
    from gmv.bench.ledger import Shape, bench_ledger
    from gmv.cli.bench.tables import ledger_tables
    from gmv.cli.output import render

    result = bench_ledger(settings.ledger, batches, rounds, seed, Shape(events, owners))
    render(result, json, ledger_tables)


@app.command()
def stream(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="JSON lines for several runs, such as those `gmv demo` makes.")
    ],
    index: IndexOption = None,
    rounds: RoundsOption = 3,
    workers: Annotated[
        str | None,
        typer.Option("--workers", metavar="N,M", help="Compare such numbers of workers instead, as 1,2."),
    ] = None,
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
    counts = _counts(workers) if workers is not None else []
    _require_redis(settings.ledger)
    _require_kafka(settings.kafka)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.scaling import bench_scaling
    from gmv.bench.stream import bench_stream
    from gmv.cli.bench.tables import scaling_tables, stream_tables
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import render

    opened = open_verified(settings)
    if counts:
        render(bench_scaling(events, opened.path, settings, counts, rounds), json, scaling_tables)
        return
    render(bench_stream(events, opened, settings, rounds), json, stream_tables)


@app.command()
def latency(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="JSON lines, such as those `gmv demo` makes; sent over and over.")
    ],
    index: IndexOption = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="That share the topic.")] = 1,
    per_second: Annotated[
        float, typer.Option("--per-second", metavar="N", min=1, help="Events, each a step after the last.")
    ] = 100.0,
    seconds: Annotated[float, typer.Option("--seconds", metavar="SECONDS", min=1, help="That are measured.")] = 60.0,
    warm_up_seconds: Annotated[
        float, typer.Option("--warm-up-seconds", metavar="SECONDS", min=0, help="Before that, not measured.")
    ] = 20.0,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure how long events take from their producer into the ledger, beside what gmv's own histogram says of it.

    Needs a Kafka broker and a Redis server that may be written to; the bench's own topics and keys are removed when
    it ends.
    """
    settings = load_settings(
        config, index=index, brokers=brokers, ledger=ledger, candidates=candidates, contributors=contributors
    )
    _require_redis(settings.ledger)
    _require_kafka(settings.kafka)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.latency import Load, bench_latency
    from gmv.cli.bench.tables import latency_tables
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import render

    load = Load(per_second, warm_up_seconds, seconds)
    result = bench_latency(events, open_verified(settings).path, settings, workers, load)
    render(result, json, latency_tables)


@app.command()
def rerank(
    index: IndexOption = None,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", metavar="PATH", help="Images the index was built from. Default: the example's."),
    ] = None,
    queries: Annotated[int, typer.Option("--queries", metavar="N", min=8, help="At 64 tokens.")] = 300,
    finer_queries: Annotated[int, typer.Option("--finer-queries", metavar="N", min=8, help="At 196 tokens.")] = 100,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, help="Of the queries.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="20 queries and 4, half a minute.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the exact re-rank against POT and SciPy, one solve per candidate, and compare what they find.

    The four ways take turns at each query, in one thread.
    """
    settings = load_settings(config, index=index, candidates=candidates, contributors=contributors)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.rerank import CANDIDATES, bench_rerank
    from gmv.bench.rerank_worlds import Worlds
    from gmv.cli.bench.tables import rerank_tables
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import render
    from gmv.demo.run import EXAMPLE_CORPUS

    queries, finer_queries = (20, 4) if quick else (queries, finer_queries)
    worlds = Worlds(corpus or EXAMPLE_CORPUS, open_verified(settings), max(queries, finer_queries), seed)
    valuation = settings.valuation
    result = bench_rerank(worlds, valuation.candidates or CANDIDATES, valuation.contributors, queries, finer_queries)
    render(result, json, rerank_tables)


@app.command()
def events(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="JSON lines with images, such as those `gmv demo` makes.")
    ],
    index: IndexOption = None,
    rounds: RoundsOption = 3,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure events per second of computing alone, from images and from features, by one thread and by two."""
    settings = load_settings(config, index=index, candidates=candidates, contributors=contributors)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.events import bench_events
    from gmv.cli.bench.tables import events_tables
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import render

    result = bench_events(events, open_verified(settings), settings, rounds)
    render(result, json, events_tables)


@app.command()
def encode(
    corpus: Annotated[
        Path | None, typer.Option("--corpus", metavar="PATH", help="Images to encode. Default: the example's.")
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option("--encoder", metavar="NAME|PATH", help="A network, as of index build; several times for several."),
    ] = None,
    index: Annotated[
        list[Path] | None,
        typer.Option("--index", metavar="FOLDER", help="Also the encoder of this index; several times for several."),
    ] = None,
    images: Annotated[int, typer.Option("--images", metavar="N", min=64, help="In a round.")] = 128,
    rounds: RoundsOption = 5,
    json: JsonOption = False,
) -> None:
    """Measure images per second by encoder: the one that is learnt, networks, and those of indexes.

    One thread; images come one by one and in runs of 64, encoders take turns.
    """
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.bench.encode import bench_encode
    from gmv.bench.encoders import encoders_for, read_images
    from gmv.cli.bench.tables import encode_tables
    from gmv.cli.output import render
    from gmv.demo.run import EXAMPLE_CORPUS

    pictures = read_images(corpus or EXAMPLE_CORPUS, max(images, 500))
    encoders, left_out = encoders_for(pictures, encoder or (), index or ())
    render(bench_encode(encoders, pictures[:images], rounds, left_out), json, encode_tables)


def _counts(text: str) -> list[int]:
    from gmv.errors import InvalidSettings

    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise InvalidSettings(f"--workers {text!r} are no numbers; 1,2 would be") from None


def _require_redis(ledger: "LedgerSettings") -> None:
    from gmv.errors import InvalidSettings

    if ledger.url.startswith("sqlite:"):
        raise InvalidSettings(
            f"ledger.url is {ledger.url}, and the bench needs a Redis server that may be written to: start one, as by "
            "`redis-server --port 6379`, and give --ledger redis://localhost:6379/0"
        )


def _require_kafka(kafka: "KafkaSettings") -> None:
    """See now, and not after the first passes, whether a broker answers."""
    from gmv.kafka.admin import TopicAdmin

    TopicAdmin(kafka).close()
