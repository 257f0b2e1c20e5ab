"""Owners, events and files whose names rich would read as markup, or a terminal obey: people see them as text."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from gmv.errors import Poison, Reason
from gmv.files.dead_letters import dead_letter_line
from gmv.printable import encodable, printable
from gmv.settings import LedgerSettings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.cli.command import TOPIC, Done, create, credit_with_receipts, gmv
from tests.operations.test_correction_file import line

NO_UTF8 = os.fsdecode(b"[red]\xe9\xff")
"""Of a file; what is in a ledger or an event is UTF-8."""

NAMES = (
    ("[bold]x[red]:smile:", "[bold]x[red]:smile:"),
    ("[/y]", NO_UTF8),
    ("x\x1b[2J\x1b]0;t\x07\x9b\x7f", "y\x1b[2J\x1b]0;t\x07\x9b\x7f"),
    ("x\n\r\ty\u2028\u202ez", "z\n\r\ty\u2028\u202ez"),
    ("\u0645\u06cc\u200c\u062e", NO_UTF8),
)
"""Of owners and events, and of files."""


@pytest.fixture(params=range(len(NAMES)))
def names(request: pytest.FixtureRequest) -> tuple[str, str]:
    return NAMES[request.param]


@pytest.fixture
def name(names: tuple[str, str]) -> str:
    return names[0]


@pytest.fixture
def file_name(names: tuple[str, str]) -> str:
    return names[1]


@pytest.fixture
def folder(name: str, file_name: str, sqlite: LedgerSettings, tmp_path: Path) -> Path:
    """Receipts, dead letters and corrections in files of that name; the owner, the event and a reason have it, too."""
    create(sqlite)
    folder = tmp_path / file_name
    folder.mkdir()
    (folder / "receipts").write_bytes(b"\n".join(credit_with_receipts(sqlite, [name])) + b"\n")
    record = Record(9, orjson.dumps({"source": name, "id": name}), name.encode(), ((name, name.encode()),))
    refused = DeadLetter(record, Poison(Reason.IMAGE_CORRUPT, name))
    (folder / "dlq").write_bytes(dead_letter_line(Partition(TOPIC, 0), refused) + b"\n")
    (folder / "corrections").write_bytes(orjson.dumps(line(id=name, from_owner=name, to_owner="ben", micros=1)) + b"\n")
    (folder / TOPIC).write_bytes(b"{}\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "times", "file_times"),
    [
        ("credits top", 1, 0),
        ("credits show NAME", 1, 0),
        ("credits export --out FOLDER/credits.csv", 0, 1),
        ("ledger verify", 0, 2),
        ("ledger init --log FOLDER/FILE.jsonl", 0, 3),
        ("ledger correct --file FOLDER/corrections --new-owner ben --dry-run", 1, 1),
        ("ledger prune --identity-window 5", 0, 2),
        ("dlq list --file FOLDER/dlq", 2, 0),
        ("dlq show --file FOLDER/dlq", 6, 0),
        (f"dlq redrive --file FOLDER/dlq --into FOLDER/{TOPIC}", 0, 1),
        ("explain NAME --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 3, 0),
        ("explain nobodyNAME --source NAME --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 2, 0),
        ("explain e0 --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 1, 0),
    ],
)
def test_a_name_is_shown_as_text(
    sqlite: LedgerSettings, name: str, file_name: str, folder: Path, arguments: str, times: int, file_times: int
) -> None:
    done = shown(sqlite, name, file_name, folder, arguments)
    assert done.stderr == ""
    assert not set(done.stdout) & set("\x1b\x07\x9b\x7f\r\t\u2028\u202e")
    assert done.stdout.count(printable(name)) >= times, done.stdout
    assert done.stdout.count(printable(file_name)) >= file_times, done.stdout


@pytest.mark.parametrize(
    "arguments",
    ["credits top", "ledger init --log FOLDER/FILE.jsonl", "dlq list --file FOLDER/dlq", "dlq show --file FOLDER/dlq"],
)
def test_json_has_the_name_itself(
    sqlite: LedgerSettings, name: str, file_name: str, folder: Path, arguments: str
) -> None:
    done = shown(sqlite, name, file_name, folder, f"{arguments} --json")
    assert printable(done.stdout.rstrip("\n")) == done.stdout.rstrip("\n")
    texts = list(texts_in(orjson.loads(done.stdout)))
    assert any(encodable(file_name) in text or name == text for text in texts), texts


def texts_in(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from texts_in(part)
        case list():
            for part in value:
                yield from texts_in(part)


def shown(ledger: LedgerSettings, name: str, file_name: str, folder: Path, arguments: str) -> Done:
    (folder / f"{file_name}.jsonl").write_bytes(b"{}\n")
    moved = ledger.model_copy(update={"url": f"sqlite:///{folder / file_name}"})
    Path(ledger.url.removeprefix("sqlite:///")).rename(folder / file_name)
    into = {"FOLDER": str(folder), "FILE": file_name, "NAME": name}
    return gmv(moved, *(re.sub("FOLDER|FILE|NAME", lambda found: into[found[0]], word) for word in arguments.split()))
