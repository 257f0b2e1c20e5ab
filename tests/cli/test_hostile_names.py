"""Owners, events and files whose names rich would read as markup or emoji: people see them as they are."""

from pathlib import Path

import orjson
import pytest

from gmv.errors import Poison, Reason
from gmv.files.dead_letters import dead_letter_line
from gmv.settings import LedgerSettings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.cli.command import TOPIC, create, credit_with_receipts, gmv
from tests.operations.test_correction_file import line

NAME = "[bold]x[red]:smile:"


@pytest.fixture
def folder(sqlite: LedgerSettings, tmp_path: Path) -> Path:
    """Receipts, dead letters and corrections in files of that name; the owner, the event and a reason have it, too."""
    create(sqlite)
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "receipts").write_bytes(b"\n".join(credit_with_receipts(sqlite, [NAME])) + b"\n")
    record = Record(9, orjson.dumps({"source": NAME, "id": NAME}), NAME.encode(), ((NAME, NAME.encode()),))
    refused = DeadLetter(record, Poison(Reason.IMAGE_CORRUPT, NAME))
    (folder / "dlq").write_bytes(dead_letter_line(Partition(TOPIC, 0), refused) + b"\n")
    (folder / "corrections").write_bytes(orjson.dumps(line(id=NAME, from_owner=NAME, to_owner="ben", micros=1)) + b"\n")
    (folder / TOPIC).write_bytes(b"{}\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        ("credits top", 1),
        (f"credits show {NAME}", 1),
        ("credits export --out FOLDER/credits.csv", 1),
        ("ledger verify", 2),
        ("ledger init --log FOLDER/FILE.jsonl", 3),
        ("ledger correct --file FOLDER/corrections --new-owner ben --dry-run", 2),
        ("ledger prune --identity-window 5", 2),
        ("dlq list --file FOLDER/dlq", 2),
        ("dlq show --file FOLDER/dlq", 8),
        (f"dlq redrive --file FOLDER/dlq --into FOLDER/{TOPIC}", 1),
        (f"explain {NAME} --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 3),
        (f"explain nobody{NAME} --source {NAME} --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 2),
        ("explain e0 --receipts FOLDER/receipts --dead-letters FOLDER/dlq", 1),
    ],
)
def test_a_name_is_shown_as_it_is(sqlite: LedgerSettings, folder: Path, arguments: str, times: int) -> None:
    (folder / f"{NAME}.jsonl").write_bytes(b"{}\n")
    ledger = sqlite.model_copy(update={"url": f"sqlite:///{folder / NAME}"})
    Path(sqlite.url.removeprefix("sqlite:///")).rename(folder / NAME)
    words = [word.replace("FOLDER", str(folder)).replace("FILE", NAME) for word in arguments.split()]
    done = gmv(ledger, *words)
    assert done.stderr == ""
    assert done.stdout.count(NAME) == times, done.stdout
