"""Do two commits of gmv give the same results, byte for byte?

    python -m tools.compare_commits BEFORE AFTER [--events 2000] [--json]

Each commit is checked out into a folder of its own and run by this environment's Python and packages, through nothing
but the command `gmv`: the demo, then a file of mixed events into SQLite, then mixed events over a real Kafka into a
real Redis of several books, with corrections after each. All that is left behind is compared.

Left out, since it differs from run to run: a ledger's own random id, and the names and times in logs and reports. Over
Kafka a run of records ends where a fetch did, so batch ids, which are digests over a run's receipts, are left out
there; the file's are compared. So is what only one of two versions records beside the credits: where a partition began.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tools.compared_runs import BOOKS, Checkout, demo, over_kafka, replay
from tools.mixed_events import Made, as_lines, mixed_events

_AROUND_BYTES = 40

Artefacts = Mapping[str, bytes]
"""What a run left behind, by name."""


def differences(before: Artefacts, after: Artefacts) -> dict[str, str]:
    """Return what differs, by name: `missing`, `added`, or where the first other byte is."""
    found = dict.fromkeys(before.keys() - after.keys(), "missing")
    found |= dict.fromkeys(after.keys() - before.keys(), "added")
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            found[name] = _first_difference(before[name], after[name])
    return dict(sorted(found.items()))


def _first_difference(before: bytes, after: bytes) -> str:
    pairs = zip(before, after, strict=False)
    place = next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after)))
    around = slice(max(0, place - _AROUND_BYTES), place + _AROUND_BYTES)
    return f"differs at {place}: {before[around]!r}, {after[around]!r}"


@contextmanager
def checkouts(commits: list[str], folder: Path) -> Iterator[list[Checkout]]:
    """Check the commits out, for as long as this is open."""
    made = [folder / f"checkout-{number}" for number in range(len(commits))]
    try:
        for path, commit in zip(made, commits, strict=True):
            _git("worktree", "add", "--detach", "--force", str(path), commit)
        yield [Checkout(path) for path in made]
    finally:
        for path in made:
            shutil.rmtree(path, ignore_errors=True)
        _git("worktree", "prune")


def compare(commits: list[str], count: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Run both commits and return, by part, how many artefacts and bytes there are and which of them differ."""
    with checkouts(commits, folder) as both, KafkaBroker() as kafka, RedisServer() as redis:
        demos = [demo(checkout, folder / f"demo-{number}") for number, checkout in enumerate(both)]
        lines = demos[0]["events.jsonl"].splitlines()
        records: list[Made] = list(mixed_events(lines, count, 2 * BOOKS, seed=1))
        index = folder / "demo-0" / "index"
        files = []
        for number, checkout in enumerate(both):
            work = folder / f"replay-{number}"
            work.mkdir()
            (work / "mixed.jsonl").write_bytes(as_lines(records))
            files.append(replay(checkout, work, index))
        streams = [
            over_kafka(checkout, records, kafka, redis, f"compare-{number}", index, folder / f"stream-{number}")
            for number, checkout in enumerate(both)
        ]
    parts = {"demo": demos, "file to SQLite": files, "Kafka to Redis": streams}
    return {
        name: {
            "artefacts": len(before),
            "bytes": sum(map(len, before.values())),
            "differing": differences(before, after),
        }
        for name, (before, after) in parts.items()
    }


def main(
    before: str,
    after: str,
    events: Annotated[int, typer.Option(min=10, help="How many mixed events.")] = 2_000,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Exit with 1 if anything differs."""
    with TemporaryDirectory(prefix="gmv-compare-") as folder:
        parts = compare([before, after], events, Path(folder))
    if json:
        typer.echo(orjson.dumps(parts, option=orjson.OPT_INDENT_2))
    else:
        table = Table("part", "artefacts", "bytes", "differing")
        for name, part in parts.items():
            differing = "\n".join(f"{artefact}: {how}" for artefact, how in part["differing"].items()) or "none"
            table.add_row(name, f"{part['artefacts']:,}", f"{part['bytes']:,}", differing)
        Console().print(table)
    if any(part["differing"] for part in parts.values()):
        raise typer.Exit(1)


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)  # noqa: S603, S607 - our own arguments


if __name__ == "__main__":
    typer.run(main)
