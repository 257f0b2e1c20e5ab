"""What a user runs, in one process: an index is built, events are replayed in runs of 64 and 1, pictures attributed.

    python -m tests.exact.pipeline WORLD OUT

The other instruction sets that a process may be told to use are chosen by its environment: see
`tests.instruction_sets`.
"""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final
from unittest.mock import patch

from gmv.cli import main

RUNS: Final = (64, 1)
"""Records at once."""

THREADS: Final = 2


def run(world: Path, out: Path) -> None:
    """Leave in `out` the index, receipts and dead letters of each size of run, and what is told of single pictures.

    Args:
        world: with `corpus.parquet`, `events.jsonl`, and files that end in .png or .jpeg.
        out: a folder to be.
    """
    out.mkdir()
    index, events = out / "index", world / "events.jsonl"
    gmv("index", "build", world / "corpus.parquet", "--out", index, "--threads", THREADS)
    for records in RUNS:
        ledger = f"sqlite:///{out / f'ledger-{records}.db'}"
        gmv("ledger", "init", "--log", events, "--ledger", ledger)
        gmv(
            *("replay", events, "--index", index, "--ledger", ledger),
            *("--receipts", receipts(out, records), "--dead-letters", out / f"dead-letters-{records}.jsonl"),
            GMV_KAFKA_RUN_RECORDS_MAX=records,
            GMV_WORKER_THREADS=THREADS,
        )
    pictures = sorted(path for path in world.iterdir() if path.suffix in {".png", ".jpeg"})
    with attributed(out).open("w") as file, redirect_stdout(file):
        gmv("attribute", "--index", index, *pictures, "--json", GMV_WORKER_THREADS=THREADS)


def receipts(out: Path, records: int) -> Path:
    """Where the receipts of a replay in runs of so many records are."""
    return out / f"receipts-{records}.jsonl"


def attributed(out: Path) -> Path:
    """Where what is told of single pictures is."""
    return out / "attributed.json"


def gmv(*arguments: object, **variables: object) -> None:
    """Run a command of gmv in this process, as a user who has set these variables does."""
    with (
        patch.dict(os.environ, {name: str(value) for name, value in variables.items()}),
        patch.object(sys, "argv", ["gmv", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:]))
