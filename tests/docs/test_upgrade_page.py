"""docs/upgrade.md: its numbers are those of the code, and what no other test tries of it is tried here."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from gmv import __version__
from gmv.cli import COMMANDS
from gmv.encoders.exact import descriptor
from gmv.encoders.open import open_encoder
from gmv.errors import IndexRefused, InvalidSettings, LedgerRefused
from gmv.events.model import EVENT_TYPE
from gmv.index.manifest import Manifest
from gmv.ledger.port import Committed
from gmv.ledger.redis import books as redis_books
from gmv.ledger.redis import keys
from gmv.ledger.sqlite import file as sqlite_file
from gmv.settings import Settings
from gmv.valuation.receipt import Receipt, batch_id, seal, unseal
from tests.contract.worlds import SqliteWorld, balances
from tests.ledger.batches import START, TOPIC, batch, entry

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "upgrade.md").read_text()
TABLE = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = {cells[0]: cells for cells in TABLE}


def test_numbers_are_those_of_the_code() -> None:
    now = {what: cells[2].strip("`") for what, cells in ROWS.items()}
    assert now["gmv itself"] == __version__
    assert now["index"] == str(Manifest.model_fields["format_version"].default)
    assert now["encoder of an index"] == descriptor.KIND
    assert now["ledger in Redis"] == redis_books.FORMAT.decode()
    assert now["ledger in SQLite"] == str(sqlite_file.FORMAT)
    assert now["event"] == EVENT_TYPE
    assert f"`{keys.FORMAT_FIELD}`" in ROWS["ledger in Redis"][1]


def test_exit_codes_are_those_of_the_refusals() -> None:
    stated = {what: re.findall(r"exit code (\d+)", cells[3]) for what, cells in ROWS.items()}
    assert stated["index"] == stated["encoder of an index"] == [str(IndexRefused.exit_code)]
    assert stated["ledger in Redis"] == stated["ledger in SQLite"] == [str(LedgerRefused.exit_code)]
    assert stated["settings file"] == [str(InvalidSettings.exit_code)]


def test_what_is_named_is_there() -> None:
    tests = re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE)
    assert len(tests) > 8
    assert all("def test_" in (ROOT / name).read_text() for name in tests)
    assert set(re.findall(r"`gmv ([a-z]+)", PAGE)) <= {*COMMANDS}
    assert all(name in Settings().model_dump()["kafka"] for name in re.findall(r"`kafka\.([a-z_]+)`", PAGE))
    assert f"\n## {__version__} - " in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture
def credited(tmp_path: Path) -> Path:
    """A ledger in SQLite that holds a commit."""
    place = SqliteWorld(tmp_path / "ledger.db")
    place.registry().create(1)
    place.registry().register(TOPIC, {0: START})
    assert place.ledger().commit(batch(credits={"alice": 5}, entries=[entry(1)])) == Committed()
    place.close()
    return place.path


def test_an_encoder_of_a_later_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match="needs an encoder 'fitted-descriptor/2', which this gmv does not have"):
        open_encoder("fitted-descriptor/2", "fitted-descriptor/2@ab", tmp_path / "encoder.safetensors", 256, (64, 32))


def test_a_sqlite_ledger_of_a_later_format_is_refused_and_left_alone(credited: Path) -> None:
    with closing(sqlite3.connect(credited)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {sqlite_file.FORMAT + 1}")
    place = SqliteWorld(credited)
    before = place.dump()
    for call in (
        lambda: place.ledger().commit(batch(credits={"bob": 5}, entries=[entry(2)])),
        lambda: place.accounts().sums(),
        lambda: place.registry().create(1),
    ):
        with pytest.raises(LedgerRefused, match="of format 2, this gmv reads and writes format 1"):
            call()
    assert place.dump() == before
    place.close()


def test_a_copy_made_by_sqlite_while_the_ledger_is_open_is_a_ledger(credited: Path, tmp_path: Path) -> None:
    place = SqliteWorld(credited)
    place.ledger().positions(TOPIC, [0])
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(credited)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    restored = SqliteWorld(copy)
    assert balances(restored) == balances(place) == {"alice": 5}
    restored.close()
    place.close()


def test_a_receipt_with_fields_of_a_later_version_is_still_vouched_for() -> None:
    today: Receipt = {
        "event": {"source": "/generator", "id": "event-7"},
        "position": {"topic": TOPIC, "partition": 0, "offset": 7},
        "previous_batch": "",
        "index": "0123",
        "settings": "4567",
        "quality": 1.0,
        "temperature": 1.0,
        "contributors": [],
        "micros": 0,
    }
    later = today | {"seen_by": {"encoder": "another/2", "share": 0.1}}
    name, (published,) = seal([later])  # type: ignore[list-item]
    _, _, found = unseal(published)

    assert orjson.loads(published)["seen_by"] == later["seen_by"]
    assert batch_id([found]) == name
    assert batch_id([today]) != name
