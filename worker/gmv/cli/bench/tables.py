"""How the results of `gmv bench` are laid out for people."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from gmv.cli.output import table

if TYPE_CHECKING:  # rerank needs POT, which the others do without
    from rich.console import ConsoleRenderable

    from gmv.bench.encode import EncodeBench
    from gmv.bench.events import EventsBench
    from gmv.bench.latency import LatencyBench
    from gmv.bench.ledger import LedgerBench
    from gmv.bench.rerank import RerankBench, RerankCase
    from gmv.bench.scaling import ScalingBench
    from gmv.bench.stream import StreamBench

Shown: TypeAlias = "Iterator[str | ConsoleRenderable]"


def ledger_tables(bench: "LedgerBench") -> Shown:
    """Lay out what `bench_ledger` returns."""
    rates = {
        "gmv's commit, Redis": bench.commit_owner_increments_per_second,
        "HINCRBY in a pipeline (baseline)": bench.hincrby_owner_increments_per_second,
        "SQLite": bench.sqlite_owner_increments_per_second,
    }
    yield f"{bench.events_per_batch} events in a batch, {bench.owner_increments_per_batch:.0f} owner increments"
    yield _rates("increments/s", rates, bench.hincrby_owner_increments_per_second)
    yield f"Baseline: {bench.baseline}"


def stream_tables(bench: "StreamBench") -> Shown:
    """Lay out what `bench_stream` returns."""
    rates = {
        "computing alone (baseline)": bench.compute_events_per_second,
        "file to SQLite": bench.file_sqlite_events_per_second,
        "Kafka to Redis": bench.kafka_redis_events_per_second,
    }
    seconds = sum(bench.stage_seconds.values())
    yield f"{bench.events:,} events, {bench.candidates} candidates, {bench.contributors} contributors"
    yield _rates("events/s", rates, bench.compute_events_per_second)
    yield table(
        "File to SQLite, by stage",
        ["stage", "seconds", "share"],
        [
            [stage, f"{spent:,.2f}", f"{spent / seconds if seconds else 0:.1%}"]
            for stage, spent in bench.stage_seconds.items()
        ],
        numbers=["seconds", "share"],
    )
    yield f"A worker's memory beyond mapped files: {bench.worker_anonymous_bytes_max / 2**20:,.0f} MiB at most"


def scaling_tables(bench: "ScalingBench") -> Shown:
    """Lay out what `bench_scaling` returns."""
    columns = ["workers", "events/s", "ratio", "cores of workers", "cores of all else"]
    yield f"{bench.partitions} partitions, {bench.threads_per_worker} thread(s) each, {bench.cores} cores"
    yield table(
        None,
        columns,
        [
            [
                str(each.workers),
                f"{each.events_per_second:,.0f}",
                f"{each.ratio:.2f}",
                f"{each.worker_cores:.2f}",
                f"{each.other_cores:.2f}",
            ]
            for each in bench.counts
        ],
        numbers=columns,
    )


def latency_tables(bench: "LatencyBench") -> Shown:
    """Lay out what `bench_latency` returns."""
    yield (
        f"{bench.events:,} events at {bench.events_per_second:,.0f} a second, {bench.workers} worker(s), "
        f"{bench.partitions} partitions, {bench.events_per_run:.1f} events in a run"
    )
    yield table(
        None,
        ["ms", "p50", "p90", "p99", "max"],
        [
            ["produce to position", *(f"{ms:,.1f}" for ms in (bench.p50_ms, bench.p90_ms, bench.p99_ms, bench.max_ms))],
            [
                "gmv_event_to_credit_seconds",
                *(f"{ms:,.1f}" for ms in (bench.histogram_p50_ms, bench.histogram_p90_ms, bench.histogram_p99_ms)),
                "",
            ],
        ],
        numbers=["p50", "p90", "p99", "max"],
    )
    yield table(
        "A run, by stage",
        ["stage", "ms"],
        [[stage, f"{ms:,.2f}"] for stage, ms in bench.stage_ms_per_run.items()],
        numbers=["ms"],
    )
    yield (
        f"Cores: workers {bench.worker_cores:.2f}, and {bench.worker_cores_missed:.2f} that they waited for; "
        f"all else {bench.other_cores:.2f}"
    )


def rerank_tables(bench: "RerankBench") -> Shown:
    """Lay out what `bench_rerank` returns."""
    for case in bench.cases:
        yield from _rerank_case(case, bench.candidates)
    yield f"{bench.many_candidates} candidates: {bench.ratio_many_candidates:.2f} times {bench.candidates}"


def _rerank_case(case: "RerankCase", candidates: int) -> Shown:
    milliseconds = {
        "POT, solve by solve (baseline)": case.ms_pot,
        "SciPy, solve by solve": case.ms_scipy,
        "gmv": case.ms_ours,
        "cost matrices alone": case.ms_floor,
    }
    found = "all as POT found them" if not case.mismatches else f"{case.mismatches} NOT as POT found them"
    ended = ", ".join(f"{step} {count:.1f}" for step, count in case.candidates_ended_per_query.items())
    yield table(
        f"{case.tokens} tokens of {case.token_size} {case.dtype}, {case.queries} queries: {found}",
        ["", "ms per query", "times as fast"],
        [[way, f"{each:,.2f}", f"{case.ms_pot / each:,.1f}"] for way, each in milliseconds.items()],
        numbers=["ms per query", "times as fast"],
    )
    yield f"Candidates, of {candidates}: {ended}"
    yield f"Largest difference from POT: {case.max_abs_diff:.1e}"
    yield f"Two threads: {case.ratio_two_threads:.2f} times one"
    yield f"Scratch: {case.scratch_bytes_per_thread / 2**20:.1f} MiB a thread"
    yield ""


def events_tables(bench: "EventsBench") -> Shown:
    """Lay out what `bench_events` returns."""
    stages = list(dict.fromkeys(stage for each in bench.passes for stage in each.stage_shares))
    yield (
        f"{bench.events:,} events, {bench.indexed_images:,} images, {bench.candidates} candidates, "
        f"{bench.contributors} contributors"
    )
    yield table(
        None,
        ["from", "threads", "events/s", *stages],
        [
            [
                each.from_,
                str(each.threads),
                f"{each.events_per_second:,.0f}",
                *(f"{each.stage_shares.get(stage, 0):.1%}" for stage in stages),
            ]
            for each in bench.passes
        ],
        numbers=["threads", "events/s", *stages],
    )


def encode_tables(bench: "EncodeBench") -> Shown:
    """Lay out what `bench_encode` returns."""
    columns = ["images at once", "images/s", "ratio", "to one by one"]
    yield f"{bench.images:,} images, {bench.rounds} rounds, one thread; ratios to the encoder {bench.baseline}"
    yield table(
        None,
        ["encoder", *columns],
        [
            [
                each.encoder,
                str(each.images_per_run),
                f"{each.images_per_second:,.1f}",
                f"{each.ratio:.3g}",
                f"{each.ratio_alone:.2f}",
            ]
            for each in bench.cases
        ],
        numbers=columns,
    )
    yield from (f"left out: {name}: {why}" for name, why in bench.left_out.items())


def _rates(column: str, rates: Mapping[str, float], baseline: float) -> "ConsoleRenderable":
    return table(
        None,
        ["", column, "ratio"],
        [[way, f"{rate:,.0f}", f"{rate / baseline:.2f}"] for way, rate in rates.items()],
        numbers=[column, "ratio"],
    )
