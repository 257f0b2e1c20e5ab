"""Corrections held against receipts and owners, by the command an operator runs."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.corpus.port import TrainingImage
from gmv.index.digests import file_entry
from gmv.index.images import write_images
from gmv.index.manifest import IMAGES_FILE, MANIFEST
from gmv.settings import LedgerSettings
from tests.cli.command import create, credit_with_receipts, gmv, gmv_json, refused
from tests.cli.ledger.test_correct import write
from tests.operations.test_correction_file import line

EVENTS = "images.jsonl"


@pytest.fixture(params=[1, 3], ids=["1 book", "3 books"])
def books(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def folder(ledger: LedgerSettings, books: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a file of events was replayed: Ada has e0 and e1, Ben e2."""
    create(ledger, books, topic=EVENTS, topic_id="first-record:1")
    lines = credit_with_receipts(ledger, ["ada", "ada", "ben"], EVENTS)
    (tmp_path / "images.receipts.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def about(event_id: str, **changes: Any) -> dict[str, Any]:
    return line(event={"source": "/s", "id": event_id}, **changes)


def correct(file: Path, *more: object) -> tuple[object, ...]:
    return ("ledger", "correct", "--file", file, *more)


def receipts_of(done: dict[str, Any]) -> list[Any]:
    return [orjson.loads(each) for each in Path(done["receipts_path"]).read_bytes().splitlines()]


def test_what_an_event_paid_is_corrected_without_saying_where_receipts_are(
    ledger: LedgerSettings, folder: Path
) -> None:
    done = gmv_json(ledger, *correct(write(folder, about("e0", micros=1_000_000))))
    assert (done["applied"], done["insisted"], done["receipts_topic"]) == (1, 0, None)
    (found,) = receipts_of(done)
    assert "insisted" not in found
    said = refused(ledger, 15, *correct(write(folder, about("e0", micros=1_000_000), about("e0", id="c-2", micros=1))))
    assert "june.jsonl:2: event (/s, e0) paid 'ada' 0 micro-credits" in said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (about("e0", micros=1_000_001), "event (/s, e0) paid 'ada' 1000000 micro-credits, less than the 1000001"),
        (about("e2", micros=1), "event (/s, e2) paid 'ada' 0 micro-credits, less than the 1"),
        (about("e9", micros=1), "there is no receipt of event (/s, e9)"),
        (line(event={"source": "/t", "id": "e0"}), "there is no receipt of event (/t, e0)"),
    ],
)
def test_what_it_did_not_pay_is_insisted_on_or_refused(
    ledger: LedgerSettings, folder: Path, wrong: dict[str, Any], says: str
) -> None:
    file = write(folder, about("e1", id="c-0"), wrong)
    for more in ((), ("--dry-run",)):
        said = refused(ledger, 15, *correct(file, *more))
        assert f"june.jsonl:2: {says}" in said
        assert "--insist REASON" in said
    assert gmv_json(ledger, "ledger", "verify")["corrections"] == 0
    assert gmv(ledger, *correct(file, "--insist", " ")).returncode == 2

    done = gmv_json(ledger, *correct(file, "--insist", "the event was sent twice"))
    assert (done["applied"], done["insisted"]) == (2, 1)
    assert [each.get("insisted") for each in receipts_of(done)] == [None, "the event was sent twice"]
    assert gmv_json(ledger, *correct(file))["already_applied"] == 2
    verify = ("ledger", "verify", "--receipts", "images.receipts.jsonl", "--receipts", done["receipts_path"])
    assert gmv_json(ledger, *verify)["corrections"] == 2


def test_a_book_that_was_not_credited_is_told(ledger: LedgerSettings, folder: Path, books: int) -> None:
    file = write(folder, about("e0", partition=1, from_owner="ben", to_owner=..., micros=1))
    said = refused(ledger, 15, *correct(file))
    assert ("who has 0 in book 1" if books == 3 else "paid 'ben' 0 micro-credits") in said


def test_where_no_receipts_can_be_had_that_is_said(ledger: LedgerSettings, folder: Path) -> None:
    (folder / "images.receipts.jsonl").rename(folder / "elsewhere")
    file = write(folder, about("e0"))
    said = refused(ledger, 15, *correct(file))
    assert "(images.receipts.jsonl) are not in" in said
    assert "; name one by --event-receipts" in said
    assert "--insist REASON" in said
    assert "No such file" in refused(ledger, 15, *correct(file, "--event-receipts", folder / "nothing"))
    assert gmv_json(ledger, *correct(file, "--event-receipts", folder / "elsewhere", "--dry-run"))["pending"] == 1
    assert gmv_json(ledger, *correct(file, "--insist", "receipts were lost in June"))["insisted"] == 1
    assert gmv_json(ledger, *correct(write(folder, about("e0"), line(id="c-2"))))["applied"] == 1, "of no event"


def test_after_receipts_of_corrections_were_lost_the_next_is_doubted(ledger: LedgerSettings, folder: Path) -> None:
    Path(gmv_json(ledger, *correct(write(folder, about("e0"))))["receipts_path"]).unlink()
    file = folder / "july.jsonl"
    file.write_bytes(orjson.dumps(about("e0", id="c-2")))
    assert "receipts of corrections/june.jsonl are missing" in refused(ledger, 15, *correct(file))


def test_explain_finds_corrections_by_itself(ledger: LedgerSettings, folder: Path) -> None:
    done = gmv_json(ledger, *correct(write(folder, about("e2", micros=9)), "--insist", "meant"))
    for where in ((), ("--receipts", folder / "images.receipts.jsonl")):
        explained = gmv_json(ledger, "explain", "e2", *where)
        (event,) = explained["events"]
        (correction,) = event["corrections"]
        assert (correction["id"], correction["standing"], correction["insisted"]) == ("c-1", "committed", "meant")
        assert len(event["receipts"]) == 1
        assert explained["corrections_unread"] == []
        assert "insisted on: meant" in gmv(ledger, "explain", "e2", *where).stdout
    Path(done["receipts_path"]).unlink()
    explained = gmv_json(ledger, "explain", "e2")
    assert (explained["events"][0]["corrections"], explained["corrections_unread"]) == ([], ["corrections/june.jsonl"])
    assert "not all receipts of corrections/june.jsonl were read" in gmv(ledger, "explain", "e2").stdout


@pytest.fixture
def index(folder: Path) -> Path:
    """As much of an index as holds its owners: Dee and Émile, whom the ledger does not know."""
    index = folder / "index"
    index.mkdir()
    rows = [TrainingImage("image-0", "dee", 1.0), TrainingImage("image-1", "Émile", 1.0)]
    write_images(index / IMAGES_FILE, rows)
    manifest = {
        "encoder": {"kind": "k", "id": "e", "has_parameters": False, "vector_size": 1, "tokens_shape": [1, 1]},
        "corpus": {"images": 2, "owners": 2, "rejected": 0, "digest": "0" * 64},
        "recall": {
            "factory": "Flat",
            "measured": {"queries": 1, "candidates": 1, "nearest_1": 1.0, "nearest_10": 1.0, "nearest_100": 1.0},
        },
        "defaults": {"candidates": 1, "contributors": 1, "temperature": 1.0},
        "files": {IMAGES_FILE: file_entry(index / IMAGES_FILE).model_dump()},
    }
    (index / MANIFEST).write_bytes(orjson.dumps(manifest))
    return index


@pytest.mark.parametrize(
    ("payee", "meant"), [("bne", "'ben'"), ("Ada ", "'ada'"), ("deee", "'dee'"), ("emile", "'Émile'"), ("fay", "'fey'")]
)
def test_a_misspelt_payee_is_refused(ledger: LedgerSettings, folder: Path, index: Path, payee: str, meant: str) -> None:
    owners = folder / "owners.jsonl"
    owners.write_text('{"image_id": "image-0", "owner_id": "fey"}')
    named = ("--index", index, "--owners", owners)
    file = write(folder, line(id="c-0", from_owner="ben", to_owner="ada", micros=1), line(to_owner=payee, micros=1))
    said = refused(ledger, 15, *correct(file, *named))
    assert f"june.jsonl:2 pays {payee!r}, whom the ledger, the index and the owners file do not know" in said
    assert f"did you mean {meant}" in said
    assert gmv_json(ledger, "ledger", "verify")["corrections"] == 0
    assert refused(ledger, 15, *correct(file, *named, "--new-owner", "another")) == said
    assert gmv_json(ledger, *correct(file, *named, "--new-owner", payee))["applied"] == 2


@pytest.mark.parametrize("payee", ["ben", "dee", "Émile", "fey"])
def test_a_known_payee_is_paid(ledger: LedgerSettings, folder: Path, index: Path, payee: str) -> None:
    owners = folder / "owners.jsonl"
    owners.write_text('{"image_id": "image-0", "owner_id": "fey"}')
    file = write(folder, line(to_owner=payee))
    assert gmv_json(ledger, *correct(file, "--index", index, "--owners", owners))["applied"] == 1


def test_without_an_index_the_ledger_knows_its_own_owners(ledger: LedgerSettings, folder: Path) -> None:
    file = write(folder, line(to_owner="somebody"))
    said = refused(ledger, 15, *correct(file))
    assert "pays 'somebody', whom the ledger (no index is named) does not know" in said
    assert "did you mean" not in said
    owners = folder / "owners.jsonl"
    owners.write_text('{"image_id": "image-0", "owner_id": "somebody"}')
    assert gmv_json(ledger, *correct(file, "--owners", owners))["applied"] == 1


def test_an_altered_index_is_refused(ledger: LedgerSettings, folder: Path, index: Path) -> None:
    with (index / IMAGES_FILE).open("r+b") as table:
        table.write(b"x")
    assert "was altered" in refused(ledger, 11, *correct(write(folder, line(to_owner="dee")), "--index", index))


def test_who_is_taken_from_may_be_misspelt_too(ledger: LedgerSettings, folder: Path) -> None:
    said = refused(ledger, 15, *correct(write(folder, line(from_owner="aad"))))
    assert "who has 0" in said
    assert "did you mean 'ada'?" in said
