"""The command `gmv` as a test runs it, and a ledger for it."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest.mock import patch

import orjson

from gmv.cli import main
from gmv.ledger.open import open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Entry
from gmv.ledger.position import Position
from gmv.settings import LedgerSettings
from gmv.valuation.attribution import value_contributors
from gmv.valuation.receipt import receipt, seal
from gmv.valuation.types import Candidate

TOPIC = "images"
TOPIC_ID = "id-1"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object) -> list[str]:
    """For a process of its own."""
    return [sys.executable, "-m", "gmv", *map(str, arguments)]


def environment(ledger: LedgerSettings) -> dict[str, str]:
    """That of a user who set up this ledger and nothing else of gmv."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GMV_")}
    login = {"GMV_LEDGER_USERNAME": ledger.username, "GMV_LEDGER_PASSWORD_FILE": ledger.password_file}
    return inherited | {
        "GMV_LEDGER_URL": ledger.url,
        "GMV_LEDGER_NAMESPACE": ledger.namespace,
        "GMV_LEDGER_RETRY_SECONDS": str(ledger.retry_seconds),
        **{name: str(value) for name, value in login.items() if value is not None},
    }


def gmv(ledger: LedgerSettings, *arguments: object) -> Done:
    """Run it to its end in this process, which takes a hundredth of the time of one of its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True) for _ in range(2))
    code: object = 0
    with (
        patch.dict(os.environ, environment(ledger), clear=True),
        patch.object(sys, "argv", ["gmv", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    printed = [stream.buffer.getvalue().decode() for stream in (out, err)]
    assert code is None or isinstance(code, int)
    return Done(code or 0, *printed)


def gmv_json(ledger: LedgerSettings, *arguments: object) -> Any:
    """What it prints as JSON when all is well."""
    done = gmv(ledger, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return orjson.loads(done.stdout)


def refused(ledger: LedgerSettings, exit_code: int, *arguments: object) -> str:
    """What it says when it refuses: a sentence."""
    done = gmv(ledger, *arguments)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("gmv: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def create(
    ledger: LedgerSettings, books: int = 1, partitions: int = 1, topic: str = TOPIC, topic_id: str = TOPIC_ID
) -> None:
    registry = open_registry(ledger)
    registry.create(books)
    registry.register(topic, dict.fromkeys(range(partitions), Position(topic_id, 0)))
    registry.close()


def credit(ledger: LedgerSettings, credits: dict[str, int], partition: int = 0) -> None:  # noqa: A002
    """Commit what one event earns these owners, straight into the ledger."""
    opened = open_ledger(ledger)
    (expected,) = opened.positions(TOPIC, [partition]).values()
    following = Position(TOPIC_ID, expected.next_offset + 1)
    entry = Entry(partition.to_bytes(8) + expected.next_offset.to_bytes(8), expected.next_offset, b"payload.")
    assert opened.commit(Batch(TOPIC, partition, expected, following, credits, [entry])) == Committed()
    opened.close()


def credit_with_receipts(
    ledger: LedgerSettings, owners: Sequence[str], topic: str = TOPIC, partition: int = 0
) -> list[bytes]:
    """Commit one batch of an event per owner, each a whole credit to them, and return its receipts."""
    opened = open_ledger(ledger)
    (expected,) = opened.positions(topic, [partition]).values()
    offsets = range(expected.next_offset, expected.next_offset + len(owners))
    batch_id, lines = seal(
        [
            receipt(
                source="/s",
                event_id=f"e{offset}",
                topic=topic,
                partition=partition,
                offset=offset,
                previous_batch=expected.batch_id,
                index_id="i",
                settings_digest="s",
                attribution=value_contributors([Candidate("image", owner, 1.0, 0.5)], 1.0, 1.0),
                traceparent=None,
            )
            for offset, owner in zip(offsets, owners, strict=True)
        ]
    )
    following = Position(expected.topic_id, offsets.stop, -1, batch_id)
    earned = {owner: 1_000_000 * list(owners).count(owner) for owner in owners}
    entries = [Entry(offset.to_bytes(16), offset, b"payload.") for offset in offsets]
    assert opened.commit(Batch(topic, partition, expected, following, earned, entries)) == Committed()
    opened.close()
    return lines
