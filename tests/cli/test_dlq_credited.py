"""`gmv dlq list` says which events are credited by now, and never fails for want of a ledger."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from gmv.errors import Poison, Reason
from gmv.files.dead_letters import dead_letter_line
from gmv.ledger.open import open_registry
from gmv.settings import LedgerSettings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.cli.command import gmv, gmv_json
from tests.cli.test_dlq import EVENTS, credit
from tests.events.samples import line
from tests.services.patience import patience
from tests.services.server import free_port

DEAD_LETTERS = (
    (Record(3, line(id="a")), Reason.IMAGE_UNREACHABLE),
    (Record(4, b"no JSON"), Reason.MALFORMED_JSON),
    (Record(5, line(id="b")), Reason.IMAGE_UNREACHABLE),
    (Record(6, line(id="c", data={})), Reason.INVALID_EVENT),  # its producer has sent a whole one since
    (Record(7, line(id="d")), Reason.KILLED_WORKER),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.dlq.jsonl"
    lines = [
        dead_letter_line(Partition(EVENTS, 1), DeadLetter(record, Poison(why, "why"))) for record, why in DEAD_LETTERS
    ]
    path.write_bytes(b"".join(each + b"\n" for each in lines))
    return path


@pytest.fixture
def credited(ledger: LedgerSettings) -> LedgerSettings:
    with closing(open_registry(ledger)) as registry:
        registry.create(2)
    for at, name in enumerate("acd"):
        credit(ledger, EVENTS, line(id=name), at)
    return ledger


def test_in_json(credited: LedgerSettings, file: Path) -> None:
    listed = gmv_json(credited, "dlq", "list", "--file", file)
    assert [each["credited"] for each in listed["letters"]] == [True, None, False, True, True]
    assert listed["credited_by_reason"] == {
        "image_unreachable": 1,
        "invalid_event": 1,
        "killed_worker": 1,
        "malformed_json": 0,
    }
    assert listed["by_reason"]["image_unreachable"] == 2
    assert listed["credited_unknown"] is None
    assert len(gmv_json(credited, "dlq", "list", "--file", file, "--limit", 1)["letters"]) == 1


def test_for_people(credited: LedgerSettings, file: Path) -> None:
    rows = [row.split() for row in gmv(credited, "dlq", "list", "--file", file).stdout.splitlines()]
    assert ["image_unreachable", "2", "1"] in rows
    assert [f"{EVENTS}/1/3", "image_unreachable", "a", "-", "why", "yes"] in rows
    assert [f"{EVENTS}/1/4", "malformed_json", "-", "-", "why", "-"] in rows
    assert [f"{EVENTS}/1/5", "image_unreachable", "b", "-", "why", "no"] in rows


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:{port}/0", "sqlite:////proc/nowhere/ledger.db", "no-scheme://ledger", "sqlite:///{file}"]
)
def test_a_ledger_that_cannot_be_asked_is_named_and_the_rest_is_shown(url: str, file: Path) -> None:
    ledger = LedgerSettings(url=url.format(port=free_port(), file=file), retry_seconds=60)
    began = time.monotonic()
    listed = gmv_json(ledger, "dlq", "list", "--file", file)
    assert time.monotonic() - began < patience(20)
    assert (listed["dead_letters"], listed["credited_by_reason"]) == (5, None)
    assert {each["credited"] for each in listed["letters"]} == {None}
    assert listed["credited_unknown"]
    shown = gmv(ledger, "dlq", "list", "--file", file)
    assert shown.returncode == 0
    assert "It is not known which events are credited by now: " in shown.stdout
    assert "credited by now" not in shown.stdout.replace("which events are credited by now", "")


def test_where_no_ledger_was_ever_made_nothing_is_said_of_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = gmv(LedgerSettings(), "dlq", "list", "--file", file)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "credited by now" not in shown.stdout
    assert not list(tmp_path.glob("*.db"))
