"""Shows that two commits of gmv give the same results, byte for byte, by running both and comparing what they wrote.

    python -m tools.compare_commits BEFORE AFTER

Each commit runs `gmv demo` in an empty folder; `gmv replay` of mixed events into SQLite; and `gmv worker` of the same
events, from a topic of several partitions into a ledger of several books in Redis; then corrections of both ledgers.
What `gmv emit` sends is compared as well, but the worker reads records that this script has sent: some can come from no
file, and those without a key go to any partition. Events are made once, of what BEFORE's demo wrote, and corrections of
BEFORE's receipts, so that both commits are given the same. What is compared is compared whole, batch ids included; the
few fields that are left out are named in `commit_results.py`.

Needs the servers of `make services`. The commits run in this environment: their dependencies have to be in it.
"""

import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tests.services.server import ServerError
from tools.commit_checkout import CommandFailed, Commit, checked_out
from tools.commit_results import (
    CORRECTIONS,
    EVENTS,
    INDEX,
    OWNERS,
    SENDABLE,
    correct,
    keep_redis,
    replay_file,
    run_demo,
)
from tools.commit_results_kafka import (
    BOOKS,
    EVENTS_MAX,
    GROUP,
    PARTITIONS,
    RUN_RECORDS,
    keep_outcomes,
    keep_topic,
    run_worker,
)
from tools.folder_comparison import ComparedFile, compare_folders
from tools.mixed_events import correction_lines, mixed_records, owners_lines, read_material
from tools.topic_contents import ends_of, read_topic, send_records

TOPIC: Final = "mixed-events"
SEED: Final = 1
EVENTS_STEP: Final = PARTITIONS * RUN_RECORDS

_FILE_COLUMNS: Final = 120


class Comparison:
    """Both commits, and the servers that they share."""

    def __init__(self, before: Commit, after: Commit, broker: KafkaBroker, events: int) -> None:
        self._before = before
        self._after = after
        self._broker = broker
        self._events = events
        self._given: dict[str, list[bytes]] = {}
        self._exempt: frozenset[str] = frozenset()
        self._started = time.monotonic()

    def run(self) -> list[ComparedFile]:
        """Run everything on the one commit, then on the other.

        Raises:
            CommandFailed: a command of one of them did not end well.
        """
        for commit in (self._before, self._after):
            self._say(commit, "demo")
            run_demo(commit)
            if commit is self._before:
                self._say(commit, "mixed events are made and sent")
                self._make_events()
            for name, lines in self._given.items():
                commit.write_lines(name, lines)
            self._say(commit, "file to SQLite")
            replay_file(commit)
            self._correct(commit, "file", "sqlite:///mixed.db")
            self._say(commit, "emit")
            self._emit(commit)
            self._say(commit, "Kafka to Redis")
            with RedisServer("everysec") as redis:
                self._credit_topic(commit, redis.url)
                self._correct(commit, "kafka", redis.url)
        return compare_folders(self._before.results, self._after.results)

    def _make_events(self) -> None:
        commit = self._before
        material = read_material(commit.folder / "gmv-demo" / "events.jsonl", commit.folder / INDEX)
        records = mixed_records(material, self._events, PARTITIONS, SEED)
        owners = owners_lines(_receipts(commit, "demo"), SEED)
        self._exempt = frozenset(line["owner_id"] for line in map(orjson.loads, owners) if "image_id" not in line)
        self._given = {
            EVENTS: [record.line for record in records],
            SENDABLE: [record.line for record in records if record.is_event],
            OWNERS: owners,
        }
        topics = ("topics", "create", "--partitions", PARTITIONS, "--topic", TOPIC, "--brokers", self._broker.address)
        commit.run(*topics)
        send_records(self._broker.address, TOPIC, records)

    def _correct(self, commit: Commit, kind: str, url: str) -> None:
        name = f"{kind}-{CORRECTIONS}"
        if commit is self._before:
            self._given[name] = correction_lines(_receipts(commit, kind), self._exempt, SEED)
            commit.write_lines(name, self._given[name])
        correct(commit, kind, url, self._broker.address)

    def _emit(self, commit: Commit) -> None:
        for mode, options in (("binary", ()), ("structured", ("--structured",))):
            topic = f"emitted-{mode}-by-{commit.name}"
            self._broker.create_topic(topic, PARTITIONS)
            commit.run("emit", SENDABLE, "--topic", topic, "--brokers", self._broker.address, *options)
            keep_topic(commit, f"emitted/{mode}.jsonl", read_topic(self._broker.address, topic))

    def _credit_topic(self, commit: Commit, url: str) -> None:
        """Both commits credit the same topic, in the same group, each as if it were the first."""
        brokers, outcomes = self._broker.address, (f"{TOPIC}.attributions", f"{TOPIC}.dlq")
        ends = [ends_of(brokers, topic) for topic in outcomes]
        commit.run("ledger", "init", "--topic", TOPIC, "--brokers", brokers, "--books", BOOKS, "--ledger", url)
        run_worker(commit, brokers, TOPIC, url, [self._events // PARTITIONS] * PARTITIONS)
        with self._broker.admin() as admin:
            admin.delete_groups([GROUP])
        keep_outcomes(commit, *(read_topic(brokers, *each) for each in zip(outcomes, ends, strict=True)))
        keep_redis(commit, "kafka/ledger", url)

    def _say(self, commit: Commit, what: str) -> None:
        typer.echo(f"{time.monotonic() - self._started:6.0f} s  {commit.name:<6}  {what}", err=True)


def _receipts(commit: Commit, kind: str) -> list[dict[str, Any]]:
    lines = (commit.results / kind / "receipts.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def compare_commits(before: str, after: str, events: int, work: Path) -> list[ComparedFile]:
    """Run both commits below a folder, and compare what they wrote.

    Raises:
        CommandFailed: git knows no such commit, or a command of one of them did not end well.
        ServerError: a server did not start.
    """
    with ExitStack() as stack:
        one = stack.enter_context(checked_out("before", before, work / "before"))
        other = stack.enter_context(checked_out("after", after, work / "after"))
        broker = stack.enter_context(KafkaBroker())
        return Comparison(one, other, broker, events).run()


def main(
    before: Annotated[str, typer.Argument(help="Commit, as git takes it.")],
    after: Annotated[str, typer.Argument(help="Commit, as git takes it.")],
    work: Annotated[
        Path | None, typer.Option(help="New folder, whose results stay. Default: a temporary one, removed.")
    ] = None,
    events: Annotated[int, typer.Option(min=EVENTS_STEP, max=EVENTS_MAX, help=f"A multiple of {EVENTS_STEP}.")] = 2_000,
    excepted: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="PATTERN", help="Results that may differ, such as '*-sentences.txt'."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run two commits on the demo and on mixed events, and exit with 1 if any of their results differs."""
    if events % EVENTS_STEP:
        raise typer.BadParameter(f"{events} is no multiple of {EVENTS_STEP}", param_hint="--events")
    if work is not None and work.exists():
        raise typer.BadParameter(f"{work} exists; name a new folder", param_hint="--work")
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="compare-commits-") as temporary:
            files = compare_commits(before, after, events, (work or Path(temporary)).resolve())
    except (CommandFailed, ServerError) as error:
        typer.echo(f"compare_commits: {error}", err=True)
        raise typer.Exit(1) from None
    differing = [file for file in files if not file.is_equal and not _matches(file.name, excepted or [])]
    seconds = time.monotonic() - started
    if json:
        _print_json(before, after, files, differing, seconds)
    else:
        _print_table(files, differing, seconds)
    raise typer.Exit(1 if differing else 0)


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _print_json(
    before: str, after: str, files: list[ComparedFile], differing: list[ComparedFile], seconds: float
) -> None:
    result = {
        "before": before,
        "after": after,
        "seconds": seconds,
        "differing": [file.name for file in differing],
        "results": [asdict(file) | {"equal": file.is_equal} for file in files],
    }
    typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _print_table(files: list[ComparedFile], differing: list[ComparedFile], seconds: float) -> None:
    table = Table(Column("result", no_wrap=True), Column("bytes", justify="right"), "sha256 before", "sha256 after", "")
    for file in files:
        size = file.bytes_before if file.bytes_after is None else file.bytes_after
        digests = (digest[:16] if digest else "missing" for digest in (file.sha256_before, file.sha256_after))
        verdict = "equal" if file.is_equal else "DIFFERS" if file in differing else "differs, excepted"
        table.add_row(file.name, f"{size:,}", *digests, verdict)
    console = Console(width=None if sys.stdout.isatty() else _FILE_COLUMNS)
    console.print(table)
    for file in files:
        if file.difference:
            console.print(f"{file.name}: {file.difference}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(files)} results, {len(differing)} differ; {seconds:.0f} s")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that work trees are removed
    typer.run(main)
