"""What one commit makes of mixed events in Kafka, with a ledger of several books in Redis.

All records are in the topic before a worker starts, and each partition holds a multiple of `RUN_RECORDS`, the most that
a worker reads at once. So runs end at the same places every time, and batch ids are compared with all else. That holds
as long as one fetch brings all of a partition, for which `EVENTS_MAX` is far enough below gmv's limit of 50 MiB.
"""

import base64
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

import orjson
from kafka.consumer.fetcher import ConsumerRecord
from redis import Redis

from tests.services.server import free_port, mortal, wait_for
from tools.commit_checkout import CommandFailed, Commit
from tools.commit_results import INDEX, OWNERS

BOOKS: Final = 4
PARTITIONS: Final = 8
RUN_RECORDS: Final = 50
EVENTS_MAX: Final = 4_000
GROUP: Final = "compare"

_CREDITED_SECONDS_MAX: Final = 1_200.0
_STOP_SECONDS_MAX: Final = 120.0
_SENTENCE_HEADER: Final = "__dlq.errors.message"
_PLACE_HEADERS: Final = ("__dlq.errors.partition", "__dlq.errors.offset")
_LEFT_OUT: Final = ("gmv.dlq.worker_version", _SENTENCE_HEADER)


def run_worker(commit: Commit, brokers: str, topic: str, url: str, ends: Sequence[int]) -> None:
    """Run `gmv worker` until the ledger is at the ends of all partitions, and stop it in good order.

    Raises:
        CommandFailed: it ended by itself, or did not stop well.
    """
    arguments = ["worker", "--index", INDEX, "--ledger", url, "--brokers", brokers, "--topic", topic]
    arguments += ["--owners", OWNERS, "--web-port", free_port()]
    settings = {
        "GMV_KAFKA_GROUP": GROUP,
        "GMV_KAFKA_RUN_RECORDS_MAX": str(RUN_RECORDS),
        "GMV_OWNERS_OPTED_OUT": "left_out",
    }
    command = mortal([sys.executable, "-m", "gmv", *map(str, arguments)])
    log = commit.folder / "worker.log"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=commit.folder, env=commit.environment | settings, stdout=file, stderr=file
        )
    try:
        with Redis.from_url(url) as client:

            def is_done() -> bool:
                return _positions(client, topic, len(ends)) == [*ends] or process.poll() is not None

            wait_for(is_done, _CREDITED_SECONDS_MAX, f"the ledger at the end of {topic}")
        process.terminate()
        code = process.wait(_STOP_SECONDS_MAX)
    finally:
        process.kill()
        process.wait()
    if code:
        raise CommandFailed(f"{commit.name}: the worker ended with {code}:\n{log.read_text(errors='replace')[-4_000:]}")


def _positions(client: Redis, topic: str, partitions: int) -> list[int]:
    """Return the next offset of each partition, whichever book has it; -1 where none has."""
    fields = [f"#p:{topic}:{number}" for number in range(partitions)]
    books = [client.hmget(f"gmv:{{{book}}}", fields) for book in range(BOOKS)]
    values = [next(filter(None, found), None) for found in zip(*books, strict=True)]
    return [int(value.split(b"|")[1]) if value else -1 for value in values]


def keep_topic(commit: Commit, name: str, records: Sequence[ConsumerRecord]) -> None:
    """Keep what a topic holds, record by record, but for times."""
    commit.keep_lines(name, (orjson.dumps([each.partition, each.offset, *_content(each)]) for each in records))


def keep_outcomes(commit: Commit, receipts: Sequence[ConsumerRecord], dead_letters: Sequence[ConsumerRecord]) -> None:
    """Keep a worker's receipts and dead letters; sentences for people apart from all that programs read."""
    placed = sorted(receipts, key=lambda each: [*orjson.loads(each.value)["position"].values()])
    commit.keep_lines("kafka/receipts.jsonl", (each.value for each in placed))
    commit.keep_lines("kafka/receipts-keys-and-headers.jsonl", (orjson.dumps(_content(each)[::2]) for each in placed))
    found = sorted(dead_letters, key=lambda each: [value for name, value in each.headers if name in _PLACE_HEADERS])
    commit.keep_lines("kafka/dead-letters.jsonl", (orjson.dumps(_content(each)) for each in found))
    sentences = (value for each in found for name, value in each.headers if name == _SENTENCE_HEADER)
    commit.keep_lines("kafka/dead-letters-sentences.txt", sentences)


def _content(record: ConsumerRecord) -> list[Any]:
    """Return key, value and headers."""
    headers = [[name, "(left out)" if name in _LEFT_OUT else _text(value)] for name, value in record.headers]
    return [_text(record.key), _text(record.value), headers]


def _text(content: bytes | None) -> str | None:
    """Return UTF-8 as it is, so that differences can be read, and all else as base64."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(content).decode()}"
