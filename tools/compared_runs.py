"""What `compare_commits` has each commit do, and what is kept of it. Through the command `gmv` alone."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from redis import Redis

from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tests.services.server import free_port
from tools.mixed_events import Made

BOOKS: Final = 3
SECONDS_MAX: Final = 900.0

_CORRECTED_MICROS: Final = 1_000
_OF_ONE_RUN: Final = ("ledger", "created_by")  # metadata: a random id, and which gmv made it
_BATCH_FIELDS: Final = ("batch", "batch_receipts", "previous_batch")


@dataclass(frozen=True)
class Checkout:
    """A commit, checked out."""

    path: Path

    def command(self, *arguments: object) -> tuple[list[str], dict[str, str]]:
        """Return a call of its `gmv`, and the environment that makes it this commit's."""
        return [sys.executable, "-m", "gmv", *map(str, arguments)], {
            **{name: value for name, value in os.environ.items() if not name.startswith("GMV_")},
            "PYTHONPATH": str(self.path / "worker"),
            "PYTHONSAFEPATH": "1",
        }

    def gmv(self, *arguments: object, cwd: Path | None = None) -> bytes:
        """Run it to its end and return what it printed."""
        command, environment = self.command(*arguments)
        done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True)  # noqa: S603 - our own arguments
        if done.returncode:
            raise RuntimeError(f"{arguments}: exit {done.returncode}\n{done.stderr.decode()}")
        return done.stdout


def demo(checkout: Checkout, out: Path) -> dict[str, bytes]:
    """Run `gmv demo`; keep index, events, sources, receipts, dead letters and the ledger."""
    checkout.gmv("demo", "--out", out, "--events", 200)
    kept = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    left_out = ("report.html", "demo.json", "ledger.db")
    return {name: content for name, content in kept.items() if name not in left_out} | sqlite_tables(out / "ledger.db")


def replay(checkout: Checkout, work: Path, index: Path) -> dict[str, bytes]:
    """Replay `mixed.jsonl` of the folder with an owners file, correct some of it; keep all that it leaves."""
    ledger, events = f"sqlite:///{work / 'ledger.db'}", work / "mixed.jsonl"
    first, second = _owners(checkout, index)
    (work / "owners.jsonl").write_bytes(orjson.dumps({"owner_id": first, "opted_out": True}) + b"\n")
    checkout.gmv("ledger", "init", "--log", events, "--ledger", ledger)
    arguments = ("replay", events, "--index", index, "--ledger", ledger, "--owners", work / "owners.jsonl")
    checkout.gmv(*arguments)
    (work / "corrections.jsonl").write_bytes(_corrections(checkout, ledger, second))
    checkout.gmv("ledger", "correct", "--file", work / "corrections.jsonl", "--ledger", ledger)
    names = ("mixed.receipts.jsonl", "mixed.dlq.jsonl", "corrections.receipts.jsonl")
    exported = {"export.csv": _export(checkout, ledger, work / "export.csv")}
    return {name: (work / name).read_bytes() for name in names} | sqlite_tables(work / "ledger.db") | exported


def over_kafka(
    checkout: Checkout,
    records: Sequence[Made],
    kafka: KafkaBroker,
    redis: RedisServer,
    name: str,
    index: Path,
    work: Path,
) -> dict[str, bytes]:
    """Credit the records by one worker, and correct some of it; keep receipts, dead letters and the books.

    The topic has the same name for both commits, on a broker that is cleared in between: receipts name it.
    """
    work.mkdir()
    topic, partitions = "compared", 2 * BOOKS
    for each in (topic, f"{topic}.attributions", f"{topic}.dlq"):
        kafka.create_topic(each, partitions if each == topic else 1)
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for record in records:
            producer.send(topic, record.value, headers=list(record.headers), partition=record.partition)
    flags = ("--ledger", redis.url, "--config", _config(work, kafka.address, name))
    checkout.gmv("ledger", "init", "--topic", topic, "--books", BOOKS, *flags)
    _work(checkout, index, topic, redis, name, flags, len(records))
    owners = _owners(checkout, index)
    (work / "corrections.jsonl").write_bytes(_corrections(checkout, redis.url, owners[1], *flags[2:]))
    checkout.gmv("ledger", "correct", "--file", work / "corrections.jsonl", *flags)
    kept = {
        "receipts": b"\n".join(sorted(map(_without_batch, _values(kafka, f"{topic}.attributions")))),
        "dead letters": b"\n".join(sorted(_values(kafka, f"{topic}.dlq"))),
        "books": books(redis, name),
        "export.csv": _export(checkout, redis.url, work / "export.csv", *flags[2:]),
    }
    with kafka.admin() as admin:
        admin.delete_topics([topic, f"{topic}.attributions", f"{topic}.dlq"])
    time.sleep(2)  # until the broker has let go of the names
    return kept


def sqlite_tables(path: Path) -> dict[str, bytes]:
    """Return the rows of every table of a ledger, sorted, less what is of one run alone."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
    own = ("#m:", "#n:")  # where crediting began; a worker's notes, each another
    rows["metadata"] = [row for row in rows["metadata"] if row[0] not in _OF_ONE_RUN and not row[0].startswith(own)]
    return {f"ledger.db: {name}": "\n".join(sorted(map(repr, found))).encode() for name, found in rows.items()}


def books(redis: RedisServer, namespace: str) -> bytes:
    """Return all fields of a ledger's books, less its id, batch ids and what says where crediting began."""
    lines = []
    for key, fields in _hashes(redis, namespace).items():
        for field, value in fields.items():
            if not field.startswith((b"#m:ledger", b"#m:created_by", b"#m:first:", b"#m:begin:", b"#n:")):
                # Of a position: no batch id, and no topic id, which Kafka makes up.
                kept = b"|".join(value.split(b"|")[1:-1]) if field.startswith(b"#p:") else value
                lines.append(b" ".join((key.replace(namespace.encode(), b"ledger"), field, kept)))
    return b"\n".join(sorted(lines))


def _hashes(redis: RedisServer, namespace: str) -> dict[bytes, dict[bytes, bytes]]:
    with closing(Redis.from_url(redis.url)) as client:
        keys: list[Any] = list(client.scan_iter(f"{namespace}:*"))
        return {key: cast(dict[bytes, bytes], client.hgetall(key)) for key in keys}


def _config(work: Path, brokers: str, name: str) -> Path:
    path = work / "gmv.toml"
    path.write_text(
        f'[kafka]\nbrokers = "{brokers}"\ntopic = "compared"\ngroup = "{name}"\n[ledger]\nnamespace = "{name}"\n'
    )
    return path


def _work(
    checkout: Checkout, index: Path, topic: str, redis: RedisServer, name: str, flags: Sequence[object], wanted: int
) -> None:
    command, environment = checkout.command(
        "worker", "--index", index, "--topic", topic, "--web-port", free_port(), *flags
    )
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own arguments
    deadline = time.monotonic() + SECONDS_MAX
    try:
        while _done(redis, name) < wanted:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the worker ended or hangs: {process.returncode}")
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _done(redis: RedisServer, namespace: str) -> int:
    books = _hashes(redis, namespace).values()
    positions = [value for fields in books for field, value in fields.items() if field.startswith(b"#p:compared:")]
    return sum(int(position.split(b"|")[1]) for position in positions)


def _values(kafka: KafkaBroker, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=kafka.address, auto_offset_reset="earliest")
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    found: list[bytes] = []
    consumer.seek_to_beginning(partition)
    while consumer.position(partition) < end:
        for messages in consumer.poll(timeout_ms=500).values():
            found += [message.value or b"" for message in messages]
    consumer.close()
    return found


def _without_batch(receipt: bytes) -> bytes:
    found: dict[str, Any] = orjson.loads(receipt)
    return orjson.dumps({name: value for name, value in found.items() if name not in _BATCH_FIELDS})


def _owners(checkout: Checkout, index: Path) -> tuple[str, str]:
    """Two owners of the index: the events' first contributors are not known before, so any two do."""
    demo_ledger = f"sqlite:///{index.parent / 'ledger.db'}"
    found: Mapping[str, Any] = orjson.loads(
        checkout.gmv("credits", "top", "--limit", 2, "--ledger", demo_ledger, "--json")
    )
    first, second = (owner["owner_id"] for owner in found["owners"])
    return str(first), str(second)


def _corrections(checkout: Checkout, ledger: str, owner: str, *flags: object) -> bytes:
    """A few lines that take from the owner who earned most, in the book that has it."""
    found = orjson.loads(checkout.gmv("credits", "top", "--limit", 2, "--ledger", ledger, "--json", *flags))
    richest, next_one = (each["owner_id"] for each in found["owners"])
    owner = next_one if owner == richest else owner
    lines = [
        {"id": "one", "from_owner": richest, "to_owner": owner, "micros": _CORRECTED_MICROS, "reason": "mistaken"},
        {"id": "two", "from_owner": richest, "micros": 1, "reason": "withdrawn", "partition": 0},
    ]
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def _export(checkout: Checkout, ledger: str, out: Path, *flags: object) -> bytes:
    checkout.gmv("credits", "export", "--format", "csv", "--out", out, "--ledger", ledger, *flags)
    return out.read_bytes()
