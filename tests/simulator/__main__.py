"""Plays many seeds, or one again: `python -m tests.simulator --help`."""

import gc
import logging
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .coverage import unseen
from .faults.catalogue import ALWAYS, AT_THE_START, ONCE
from .run import play
from .summary import Summary
from .world import World

HASH_SEED = "0"
RUNS_THAT_SEE_ALL = 5_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seed: Annotated[int | None, typer.Option(help="Play this one run.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="With --seed: print all that happened.")] = False,
    runs: Annotated[int, typer.Option(help="Play so many runs.")] = 1_000,
    first: Annotated[int, typer.Option(help="Seed of the first of them.")] = 0,
    fault: Annotated[list[str] | None, typer.Option(help="Let only this one occur; may be given again.")] = None,
    failures_max: Annotated[int, typer.Option(help="Stop after so many runs with a violation.")] = 3,
    json: Annotated[Path | None, typer.Option(help="Write the summary there.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the summary there, as tables.")] = None,
) -> None:
    """Exactly once under simulated fire. Exits 1 if an invariant was violated, or many runs missed a fault."""
    logging.getLogger("gmv").setLevel(logging.CRITICAL)
    faults = fault or []
    if unknown := set(faults).difference(ALWAYS, ONCE, AT_THE_START):
        raise typer.BadParameter(f"no fault is called {', '.join(sorted(unknown))}")
    if seed is not None:
        _play_one(seed, trace, faults)
        return
    summary = _play_many(range(first, first + runs), failures_max, faults)
    if json is not None:
        json.write_bytes(orjson.dumps(summary.as_json(), option=orjson.OPT_INDENT_2))
    if markdown is not None:
        markdown.write_text(summary.as_markdown())
    sys.stdout.write(summary.as_markdown())
    if summary.violations or (summary.runs >= RUNS_THAT_SEE_ALL and not faults and unseen(summary.seen)):
        raise typer.Exit(1)


def _play_one(seed: int, is_traced: bool, faults: list[str]) -> None:
    world = play(seed, is_traced, faults)
    sys.stdout.write("".join(f"{line}\n" for line in world.trace))
    sys.stdout.write(
        "".join(f"violated {violation}\n" for violation in world.violations) or f"seed {seed}: nothing is violated\n"
    )
    if world.violations:
        raise typer.Exit(1)


def _play_many(seeds: range, failures_max: int, faults: list[str]) -> Summary:
    summary = Summary(seeds.start)
    gc.freeze()  # all that was imported stays: not to be looked through again and again
    began = time.process_time()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for seed in progress.track(seeds, description="runs"):
            world = _play(seed, faults)
            summary.runs += 1
            summary.seen += world.seen
            if world.violations:
                summary.violations[seed] = world.violations
                _print_failure(seed, faults)
            if len(summary.violations) >= failures_max:
                break
    summary.seconds = time.process_time() - began
    return summary


def _play(seed: int, faults: list[str]) -> World:
    try:
        return play(seed, faults=faults)
    except Exception as error:
        error.add_note(f"in the run of seed {seed}")
        raise


def _print_failure(seed: int, faults: list[str]) -> None:
    """Play the run again, and print what happens in it."""
    world = play(seed, True, faults)
    sys.stdout.write("".join(f"{line}\n" for line in world.trace))
    sys.stdout.write("".join(f"violated {violation}\n" for violation in world.violations))
    again = "".join(f" --fault '{name}'" for name in faults)
    sys.stdout.write(f"replay: python -m tests.simulator --seed {seed} --trace{again}\n\n")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:  # sets of texts would be walked in another order each time
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulator", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": HASH_SEED},
        )
    app()
