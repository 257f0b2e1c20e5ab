"""Corrections by the command an operator runs, and what the others say of them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.settings import LedgerSettings
from tests.cli.command import create, credit_with_receipts, gmv, gmv_json, refused
from tests.cli.test_ledger import alter
from tests.operations.test_correction_file import line


@pytest.fixture
def events(ledger: LedgerSettings, tmp_path: Path) -> Path:
    """Receipts of a ledger in which Ada has two credits and Ben one."""
    create(ledger)
    path = tmp_path / "events.receipts.jsonl"
    path.write_bytes(b"\n".join(credit_with_receipts(ledger, ["ada", "ada", "ben"])) + b"\n")
    return path


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "june.jsonl"
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in lines))
    return path


LINES = (line(id="c-1", micros=2_000_000), line(id="c-2", from_owner="ben", to_owner=..., micros=500_000))


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    ledger: LedgerSettings, events: Path, tmp_path: Path
) -> None:
    path = write(tmp_path, *LINES)
    before = gmv_json(ledger, "ledger", "verify")
    assert gmv_json(ledger, "ledger", "correct", "--file", path, "--dry-run") == {
        "file": str(path),
        "dry_run": True,
        "corrections": 2,
        "applied": 0,
        "pending": 2,
        "already_applied": 0,
        "withdrawn_micros": 500_000,
        "owners": [
            {"owner_id": "ada", "change_micros": -2_000_000, "credit_micros": 0},
            {"owner_id": "ben", "change_micros": 1_500_000, "credit_micros": 2_500_000},
        ],
        "receipts_path": None,
        "receipts_topic": None,
        "insisted": 0,
    }
    assert "2 corrections would be applied" in gmv(ledger, "ledger", "correct", "--file", path, "--dry-run").stdout
    assert gmv_json(ledger, "ledger", "verify") == before
    assert set(tmp_path.glob("*.jsonl")) == {events, path}


def test_what_is_corrected_is_accounted_for(ledger: LedgerSettings, events: Path, tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    done = gmv_json(ledger, "ledger", "correct", "--file", path)
    assert (done["applied"], done["pending"], done["already_applied"]) == (2, 0, 0)
    assert [owner["credit_micros"] for owner in done["owners"]] == [0, 2_500_000]
    shown = gmv_json(ledger, "credits", "show", "ada", "ben")["owners"]
    assert [owner["credit_micros"] for owner in shown] == [0, 2_500_000]

    verify = ("ledger", "verify", "--receipts", events)
    verified = gmv_json(ledger, *verify, "--receipts", done["receipts_path"])
    assert (verified["credit_micros"], verified["credited"], verified["corrections"]) == (2_500_000, 3, 2)
    assert "batch" in (said := refused(ledger, 40, *verify))
    assert "of corrections/june.jsonl[0] is in the ledger, but its receipts are missing" in said

    again = gmv(ledger, "ledger", "correct", "--file", path)
    assert again.returncode == 0
    assert "0 corrections were applied; 2 were before" in again.stdout
    assert gmv_json(ledger, *verify, "--receipts", done["receipts_path"]) == verified


def test_a_micro_credit_moved_behind_its_back_is_found(ledger: LedgerSettings, events: Path, tmp_path: Path) -> None:
    done = gmv_json(ledger, "ledger", "correct", "--file", write(tmp_path, *LINES))
    alter(ledger, ada=1, ben=2_499_999)
    said = refused(ledger, 40, "ledger", "verify", "--receipts", events, "--receipts", done["receipts_path"])
    assert "'ada' has 1 micro-credits in the ledger, 0 by receipts" in said


def test_mistakes_are_told(ledger: LedgerSettings, events: Path, tmp_path: Path) -> None:
    command = ("ledger", "correct", "--file")
    assert "No such file" in refused(ledger, 15, *command, tmp_path / "nothing")
    too_much = write(tmp_path, line(micros=2_000_001))
    assert "takes 2000001 micro-credits from 'ada', who has 2000000" in refused(ledger, 15, *command, too_much)
    assert "a file of its own" in refused(ledger, 2, *command, too_much, "--receipts", too_much)
    assert gmv_json(ledger, "ledger", "verify")["corrections"] == 0


def test_without_a_ledger_nothing_is_corrected(ledger: LedgerSettings, tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    assert "gmv ledger init" in refused(ledger, 21, "ledger", "correct", "--file", path)
