"""A commit into SQLite that fails half-way leaves nothing behind."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gmv.errors import LedgerRefused
from gmv.ledger.port import Committed
from tests.contract.worlds import SqliteWorld, balances
from tests.ledger.batches import START, TOPIC, batch, entry

FAILING = {
    "positions": "BEFORE UPDATE ON positions",
    "sums": "BEFORE UPDATE ON sums",
    "events": "BEFORE INSERT ON events",
}


@pytest.mark.parametrize("table", FAILING)
def test_what_was_written_before_a_failure_is_taken_back(tmp_path: Path, table: str) -> None:
    place = SqliteWorld(tmp_path / "ledger.db")
    place.registry().create(1)
    place.registry().register(TOPIC, {0: START})
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(f"CREATE TRIGGER failing {FAILING[table]} BEGIN SELECT RAISE(ABORT, 'fails'); END")
    before = place.dump()
    ledger = place.ledger()
    with pytest.raises(LedgerRefused, match="fails"):
        ledger.commit(batch(credits={"alice": 5}, entries=[entry(1)]))
    assert place.dump() == before
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("DROP TRIGGER failing")
    assert ledger.commit(batch(credits={"alice": 5}, entries=[entry(1)])) == Committed()
    assert balances(place) == {"alice": 5}
    place.close()
