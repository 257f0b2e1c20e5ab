"""What is unattributed, shared by weight over an index: by hand, once, and with every sum intact."""

from itertools import count
from pathlib import Path

import orjson
import pytest

from gmv.corpus.port import TrainingImage
from gmv.errors import CorrectionsRefused, InvalidSettings
from gmv.events.event_time import unix_milliseconds
from gmv.index.digests import file_entry
from gmv.index.images import write_images
from gmv.index.manifest import IMAGES_FILE, MANIFEST
from gmv.operations.sharing_unattributed import weights_by_owner
from gmv.settings import LedgerSettings
from gmv.valuation.owners import Ownership
from tests.cli.command import create, credit_with_receipts, gmv_json, refused

WEIGHTS = {"ada": [1.0, 1.0], "ben": [1.0], "cy": [0.5, 0.0], "dee": [0.0]}
"""3.5 in all, of which Dee, whose only image weighs nothing, has none."""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """As much of an index as says whose images there are, and what they weigh."""
    folder, number = tmp_path / "index", count()
    folder.mkdir()
    rows = [TrainingImage(f"i{next(number)}", owner, weight) for owner in WEIGHTS for weight in WEIGHTS[owner]]
    write_images(folder / IMAGES_FILE, rows)
    manifest = {
        "encoder": {"kind": "k", "id": "k@1", "has_parameters": False, "vector_size": 1, "tokens_shape": [1, 1]},
        "corpus": {"images": len(rows), "owners": 4, "rejected": 0, "digest": "0" * 64},
        "recall": {"factory": "Flat", "measured": None},
        "defaults": {"candidates": 100, "contributors": 10, "temperature": 1.0},
        "files": {IMAGES_FILE: file_entry(folder / IMAGES_FILE).model_dump()},
    }
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest))
    return folder


@pytest.fixture
def receipts(ledger: LedgerSettings, tmp_path: Path) -> Path:
    """Of a ledger in which one credit is unattributed, and Ada has one."""
    create(ledger)
    path = tmp_path / "events.receipts.jsonl"
    path.write_bytes(b"\n".join(credit_with_receipts(ledger, ["ada", "unattributed"])) + b"\n")
    return path


def share(period: str, index: Path, folder: Path) -> tuple[object, ...]:
    return ("ledger", "share-unattributed", period, "--index", index, "--file", folder / f"shares-{period}.jsonl")


def balances(ledger: LedgerSettings) -> dict[str, int]:
    owners = gmv_json(ledger, "credits", "show", "ada", "ben", "cy", "dee", "unattributed")["owners"]
    return {each["owner_id"]: each["credit_micros"] for each in owners}


def test_every_micro_credit_is_shared_by_weight_and_once(
    ledger: LedgerSettings, receipts: Path, index: Path, tmp_path: Path
) -> None:
    """1,000,000 by 4 : 2 : 1 are 571,428.57, 285,714.29 and 142,857.14: what is left goes to Ada."""
    shared = gmv_json(ledger, *share("2026-10", index, tmp_path))
    assert (shared["applied"], shared["withdrawn_micros"]) == (3, 0)
    expected = {"ada": 1_571_429, "ben": 285_714, "cy": 142_857, "dee": 0, "unattributed": 0}
    assert balances(ledger) == expected

    again = gmv_json(ledger, *share("2026-10", index, tmp_path))
    assert (again["applied"], again["already_applied"]) == (0, 3)
    assert balances(ledger) == expected
    verified = gmv_json(
        ledger, "ledger", "verify", "--receipts", receipts, "--receipts", tmp_path / "shares-2026-10.receipts.jsonl"
    )
    assert (verified["conserved"], verified["credit_micros"]) == (True, 2_000_000)


def test_a_period_is_settled_with_its_file(ledger: LedgerSettings, receipts: Path, index: Path, tmp_path: Path) -> None:
    """A dry run makes the file and pays nobody; without its file, a period that was shared is not shared again."""
    planned = gmv_json(ledger, *share("q3", index, tmp_path), "--dry-run")
    assert (planned["pending"], planned["applied"]) == (3, 0)
    assert balances(ledger)["unattributed"] == 1_000_000
    lines = [orjson.loads(line) for line in (tmp_path / "shares-q3.jsonl").read_bytes().splitlines()]
    assert all(unix_milliseconds(each["time"]) for each in lines), "a statement of a period has no share without one"
    assert [(each["id"], each["micros"]) for each in lines] == [
        ("unattributed/q3/0/ada", 571_429),
        ("unattributed/q3/0/ben", 285_714),
        ("unattributed/q3/0/cy", 142_857),
    ]
    assert gmv_json(ledger, *share("q3", index, tmp_path))["applied"] == 3
    (tmp_path / "shares-q3.jsonl").unlink()
    said = refused(ledger, CorrectionsRefused.exit_code, *share("q3", index, tmp_path))
    assert "holds nothing: there is nothing to share" in said
    assert receipts.exists()


def test_who_opted_out_has_no_share(ledger: LedgerSettings, receipts: Path, index: Path, tmp_path: Path) -> None:
    """Ben opts out, and Ada's second image is Dee's now: 1 : 1 : .5 for Ada, Dee and Cy."""
    said = tmp_path / "owners.jsonl"
    said.write_text('{"owner_id": "ben", "opted_out": true}\n{"image_id": "i1", "owner_id": "dee"}\n')
    gmv_json(ledger, *share("q4", index, tmp_path), "--owners", said)
    assert balances(ledger) == {"ada": 1_400_000, "ben": 0, "cy": 200_000, "dee": 400_000, "unattributed": 0}
    assert receipts.exists()


def test_what_cannot_be_shared_is_refused(ledger: LedgerSettings, index: Path, tmp_path: Path) -> None:
    create(ledger)
    said = tmp_path / "owners.jsonl"
    said.write_bytes(b"".join(orjson.dumps({"owner_id": owner, "opted_out": True}) + b"\n" for owner in WEIGHTS))
    everybody = refused(ledger, CorrectionsRefused.exit_code, *share("q1", index, tmp_path), "--owners", said)
    assert "nobody can be given a share" in everybody
    assert "holds nothing" in refused(ledger, CorrectionsRefused.exit_code, *share("q1", index, tmp_path))
    unnamed = refused(ledger, InvalidSettings.exit_code, "ledger", "share-unattributed", "q1")
    assert "give --index FOLDER" in unnamed
    assert not list(tmp_path.glob("shares*"))


def test_weights_are_summed_exactly_in_any_order() -> None:
    """.1 ten times is 1 when it is rounded once, and not when it is rounded ten times."""
    images = [TrainingImage(f"i{number}", "ada", 0.1) for number in range(10)]
    images += [TrainingImage("j", "ben", 1.0), TrainingImage("k", "ben", 1e-17)]
    expected = {"ada": 1.0, "ben": 1.0}
    assert weights_by_owner(images, Ownership()) == weights_by_owner(reversed(images), Ownership()) == expected
