"""How the results of `gmv bench` are laid out for people."""

from typing import Any

from rich.console import Group, RenderableType

from gmv.cli.output import table


def ledger_tables(result: dict[str, Any]) -> RenderableType:
    """Lay out what `bench_ledger` returns."""
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


def stream_tables(result: dict[str, Any]) -> RenderableType:
    """Lay out what `bench_stream` returns."""
    ways = {
        "compute": "computing alone (baseline)",
        "file_sqlite": "file to SQLite",
        "kafka_redis": "Kafka to Redis",
    }
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


def scaling_tables(result: dict[str, Any]) -> RenderableType:
    """Lay out what `bench_scaling` returns."""
    return Group(
        f"{result['partitions']} partitions, {result['threads_per_worker']} thread(s) each, {result['cores']} cores",
        table(
            None,
            ["workers", "events/s", "ratio", "cores of workers", "cores of all else"],
            [
                [
                    str(each["workers"]),
                    f"{each['events_per_second']:,.0f}",
                    f"{each['ratio']:.2f}",
                    f"{each['worker_cores']:.2f}",
                    f"{each['other_cores']:.2f}",
                ]
                for each in result["counts"]
            ],
            numbers=["workers", "events/s", "ratio", "cores of workers", "cores of all else"],
        ),
    )


def rerank_tables(result: dict[str, Any]) -> RenderableType:
    """Lay out what `bench_rerank` returns."""
    ways = {
        "pot": "POT, solve by solve (baseline)",
        "scipy": "SciPy, solve by solve",
        "ours": "gmv",
        "floor": "cost matrices alone",
    }
    parts: list[RenderableType] = []
    for case in result["cases"]:
        baseline = case["ms_pot"]
        found = "all as POT found them" if not case["mismatches"] else f"{case['mismatches']} NOT as POT found them"
        parts += [
            table(
                f"{case['tokens']} tokens of {case['token_size']}, {case['queries']} queries: {found}",
                ["", "ms per query", "times as fast"],
                [
                    [told, f"{case[f'ms_{way}']:,.2f}", f"{baseline / case[f'ms_{way}']:,.1f}"]
                    for way, told in ways.items()
                ],
                numbers=["ms per query", "times as fast"],
            ),
            "Candidates, of {}: {}".format(
                result["candidates"],
                ", ".join(f"{step} {count:.1f}" for step, count in case["candidates_ended_per_query"].items()),
            ),
            f"Largest difference from POT: {case['max_abs_diff']:.1e}",
            f"Two threads: {case['ratio_two_threads']:.2f} times one",
            f"Scratch: {case['scratch_bytes_per_thread'] / 2**20:.1f} MiB a thread\n",
        ]
    many = result["ratio_many_candidates"]
    return Group(*parts, f"{result['many_candidates']} candidates: {many:.2f} times {result['candidates']}")


def events_tables(result: dict[str, Any]) -> RenderableType:
    """Lay out what `bench_events` returns."""
    stages = list(dict.fromkeys(stage for each in result["passes"] for stage in each["stage_shares"]))
    return Group(
        f"{result['events']:,} events, {result['indexed_images']:,} images, {result['candidates']} candidates, "
        f"{result['contributors']} contributors",
        table(
            None,
            ["from", "threads", "events/s", *stages],
            [
                [
                    each["from"],
                    str(each["threads"]),
                    f"{each['events_per_second']:,.0f}",
                    *(f"{each['stage_shares'].get(stage, 0):.1%}" for stage in stages),
                ]
                for each in result["passes"]
            ],
            numbers=["threads", "events/s", *stages],
        ),
    )
