"""What one commit of gmv makes of the demo and of mixed events, written to a folder, one file per kind of result.

Commands are run as a user runs them; no module of the commit is imported. Left out, because they are random or say only
when or by what it was made:

- `seconds` of `gmv demo --json`;
- the ledger's own id, the version that created it (`ledger`, `created_by`), and the `writer` of a worker's note;
- the version of the worker that wrote a dead letter (`gmv.dlq.worker_version`);
- the demo's report, which is for people;
- the ledger's address in what `gmv ledger verify --json` says, as its port is another each time;
- the order of receipts and dead letters within their topics, which is that of fetches: they are sorted.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import orjson
from redis import Redis

from tools.commit_checkout import Commit

INDEX: Final = Path("gmv-demo/index")
EVENTS: Final = "mixed.jsonl"
RECEIPTS: Final = "mixed.receipts.jsonl"
SENDABLE: Final = "sendable.jsonl"
OWNERS: Final = "owners.jsonl"
CORRECTIONS: Final = "corrections.jsonl"

_RANDOM_METADATA: Final = re.compile(rb"(#m:)?(ledger|created_by)")
_WRITER: Final = re.compile(rb'"writer":"[^"]*"')
_LEFT_OUT: Final = b"(left out)"


def run_demo(commit: Commit) -> None:
    """Keep index, events, ledger, receipts and dead letters of `gmv demo`."""
    figures = orjson.loads(commit.run("demo", "--json"))
    del figures["seconds"]
    commit.keep("demo/figures.json", orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    commit.keep("demo/index_id", figures["index_id"].encode())
    demo = commit.folder / "gmv-demo"
    shutil.copytree(demo / "index", commit.results / "demo" / "index")
    for name in ("events.jsonl", "sources.json"):
        shutil.copy(demo / name, commit.results / "demo")
    (receipts,) = demo.glob("*receipts.jsonl")  # its name before the dot differs between commits
    shutil.copy(receipts, commit.results / "demo" / "receipts.jsonl")
    _keep_dead_letters(commit, "demo", map(orjson.loads, (demo / "dead-letters.jsonl").read_bytes().splitlines()))
    _keep_ledger_file(commit, "demo/ledger", demo / "ledger.db")


def replay_file(commit: Commit) -> None:
    """Keep what `gmv replay` makes of the mixed events."""
    ledger, url = commit.folder / "mixed.db", "sqlite:///mixed.db"
    commit.run("ledger", "init", "--log", EVENTS, "--ledger", url)
    commit.run(
        *("replay", EVENTS, "--index", INDEX, "--ledger", url, "--owners", OWNERS),
        *("--receipts", RECEIPTS, "--dead-letters", "dead-letters.jsonl"),
    )
    commit.keep("file/receipts.jsonl", (commit.folder / RECEIPTS).read_bytes())
    found = (commit.folder / "dead-letters.jsonl").read_bytes().splitlines()
    _keep_dead_letters(commit, "file", map(orjson.loads, found))
    _keep_ledger_file(commit, "file/ledger", ledger)


def correct(commit: Commit, kind: str, url: str, brokers: str) -> None:
    """Keep the receipts of the corrections, and the totals after them."""
    receipts = f"{kind}-corrections.receipts.jsonl"
    settings = {"GMV_KAFKA_BROKERS": brokers}
    command = ("ledger", "correct", "--file", f"{kind}-{CORRECTIONS}", "--receipts", receipts, "--ledger", url)
    commit.run(*command, settings=settings)
    commit.keep(f"{kind}/corrections.receipts.jsonl", (commit.folder / receipts).read_bytes())
    if url.startswith("sqlite:///"):
        _keep_ledger_file(commit, f"{kind}/ledger-corrected", commit.folder / url.removeprefix("sqlite:///"))
    else:
        keep_redis(commit, f"{kind}/ledger-corrected", url)
    verified = orjson.loads(commit.run("ledger", "verify", "--json", "--ledger", url))
    del verified["ledger_url"]  # ports differ
    commit.keep(f"{kind}/verified.json", orjson.dumps(verified, option=orjson.OPT_INDENT_2))


def keep_redis(commit: Commit, name: str, url: str) -> None:
    """Keep all keys of a Redis: a file per kind of field (owners, positions, events …), and totals as exported."""
    kinds: dict[str, list[bytes]] = {}
    with Redis.from_url(url) as client:
        for key in sorted(client.keys("*")):
            for field, value in sorted(client.hgetall(key).items()):  # anything but a hash raises
                kind = re.sub(r"\W", "", field[: field.index(b":")].decode())
                kinds.setdefault(kind, []).append(repr((key, field, _known(field, value))).encode())
    for kind, lines in kinds.items():
        commit.keep_lines(f"{name}/{kind}.txt", lines)
    commit.keep(f"{name}/credits.csv", commit.run("credits", "export", "--ledger", url))


def _keep_dead_letters(commit: Commit, kind: str, dead_letters: Iterable[dict[str, Any]]) -> None:
    """Keep the sentences for people apart from everything that programs read."""
    found = [(dead_letter.pop("detail"), dead_letter) for dead_letter in dead_letters]
    commit.keep_lines(f"{kind}/dead-letters.jsonl", (orjson.dumps(dead_letter) for _, dead_letter in found))
    commit.keep_lines(f"{kind}/dead-letters-sentences.txt", (sentence.encode() for sentence, _ in found))


def _keep_ledger_file(commit: Commit, name: str, path: Path) -> None:
    """Keep all tables of a SQLite file, rows sorted, and totals as exported."""
    with closing(sqlite3.connect(path)) as file:
        tables = [table for (table,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = file.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name out of the file itself
            columns = [column[0] for column in rows.description]
            lines = sorted(repr(_known_row(row)).encode() for row in rows)
            commit.keep_lines(f"{name}/{table}.txt", [repr(columns).encode(), *lines])
    url = f"sqlite:///{path.relative_to(commit.folder)}"
    commit.keep(f"{name}/credits.csv", commit.run("credits", "export", "--ledger", url))


def _known_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(row) == 2 and all(isinstance(cell, str) for cell in row):  # metadata: name and value
        return (row[0], _known(row[0].encode(), row[1].encode()).decode())
    return row


def _known(field: bytes, value: bytes) -> bytes:
    """Return what is kept of a field: nothing of what is random."""
    return _LEFT_OUT if _RANDOM_METADATA.fullmatch(field) else _WRITER.sub(b'"writer":"(left out)"', value)
