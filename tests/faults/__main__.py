"""Plays the faults and writes what came of them: `python -m tests.faults --help`, or `make faults`."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import orjson
import typer

from tests.faults import (  # noqa: F401 - put their scenarios into the list
    covered_by_tests,
    failover,
    indexes,
    kafka_faults,
    records_and_clocks,
    redis_faults,
    workers,
)
from tests.faults.scenario import SCENARIOS, NotHere, Outcome, Row, Scenario
from tests.faults.table import as_json, as_markdown
from tests.faults.world import Servers

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help="Play this scenario alone; may be given again.")] = None,
    runs: Annotated[int | None, typer.Option(help="Play each so many times; default: its own number.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first run; the next ones count up. Default: random.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table there.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all that is known there.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what there is, and play nothing.")] = False,
) -> None:
    """Exactly once under fire, on real processes. Exits 1 if an invariant was violated."""
    chosen = _chosen(only or [])
    if listed:
        for each in chosen:
            _say(f"{each.number:>2}  {each.name:<24} {each.runs:>3} runs  {each.what}")
        return
    first = random.SystemRandom().randrange(2**31) if seed is None else seed
    rows: list[Row] = []

    def write() -> None:  # after each run, since somebody may not wait for the last
        if markdown is not None:
            markdown.write_text(as_markdown(rows))
        if json is not None:
            json.write_bytes(orjson.dumps(as_json(rows), option=orjson.OPT_INDENT_2))

    with Servers() as site:
        for each in chosen:
            rows.append(Row(each))
            _play(site, rows[-1], range(first, first + (runs or each.runs)), write)
    _say("\n" + as_markdown(rows))
    if any(row.violations for row in rows):
        raise typer.Exit(1)


def _chosen(names: list[str]) -> list[Scenario]:
    if unknown := set(names) - {each.name for each in SCENARIOS}:
        raise typer.BadParameter(f"no scenario is called {', '.join(sorted(unknown))}; --list names them all")
    return sorted((each for each in SCENARIOS if not names or each.name in names), key=lambda each: each.number)


def _play(site: Servers, row: Row, seeds: range, write: Callable[[], None]) -> None:
    name, began = row.scenario.name, time.monotonic()
    for seed in seeds:
        _say(f"{name} seed {seed} (again: python -m tests.faults --only {name} --runs 1 --seed {seed})")
        try:
            outcome = row.scenario.play(site, random.Random(seed))
        except NotHere as reason:
            row.not_played = str(reason)
            break
        except Exception as error:  # noqa: BLE001 - a run that breaks off has not shown that all is well
            notes = "; ".join(getattr(error, "__notes__", ()))
            outcome = Outcome([f"the run broke off: {error!r}; {notes}"])
        row.add(seed, outcome)
        row.seconds = time.monotonic() - began
        for violation in outcome.violations:
            _say(f"  VIOLATED {violation}")
        write()
    _say(f"  {len(row.seeds)} runs in {row.seconds:.0f} s, {len(row.violations)} violated, recovery {row.recovery} s")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app()
