"""The ledger in one SQLite file, the administrator's side."""

import re
import sqlite3
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from typing_extensions import override

from gmv import __version__
from gmv.errors import InvalidSettings
from gmv.ledger.administration import Registry
from gmv.ledger.admission import admit_books
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.fields import begin_field, first_field
from gmv.ledger.position import Position
from gmv.ledger.sqlite.file import APPLICATION_ID, FORMAT, SqliteFile
from gmv.ledger.sqlite.ledger import parse_first
from gmv.ledger.window import admit_window

_ADD_POSITION: Final = "INSERT INTO positions (topic, partition, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP: Final = "INSERT INTO metadata (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
_SELECT_KEPT: Final = "SELECT value FROM metadata WHERE name = ?"

_SCHEMA = Path(__file__).with_name("schema.sql")


class SqliteRegistry(Registry):
    """A `Registry`. Opens the file at the first call."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @override
    def create(self, books: int | None = None) -> None:
        """Make the file in one transaction.

        Raises:
            LedgerRefused: the file holds something else.
        """
        admit_books(books)
        with self._file.created() as connection:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables == 0:
                _lay_out(connection, books or 1)
            (existing,) = connection.execute("SELECT count(*) FROM sums").fetchone()
        if books not in (None, existing):
            raise InvalidSettings(
                f"{self._file.path} holds a ledger of {existing} books already, not {books}; "
                "their number is fixed when a ledger is made"
            )

    @override
    def first_partitions(self, topic: str, first: FirstPartitions) -> FirstPartitions:
        with self._file.transaction() as connection:
            connection.execute(_KEEP, (first_field(topic), first.encode()))
            return parse_first(self._file, topic, connection.execute(_SELECT_KEPT, (first_field(topic),)).fetchone()[0])

    @override
    def register(
        self, topic: str, positions: Mapping[int, Position], log_starts: Mapping[int, int] | None = None
    ) -> tuple[int, ...]:
        new = []
        with self._file.transaction() as connection:
            for partition, position in sorted(positions.items()):
                if connection.execute(_ADD_POSITION, (topic, partition, position.encode())).rowcount:
                    begin = Begin(position.next_offset, (log_starts or {}).get(partition, position.next_offset))
                    connection.execute(_KEEP, (begin_field(topic, partition), begin.encode()))
                    new.append(partition)
        return tuple(new)

    @override
    def state_window(self, offsets: int) -> None:
        admit_window(offsets)
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO metadata (name, value) VALUES ('identity_window', ?)", (str(offsets),)
            )

    @override
    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lay_out(connection: sqlite3.Connection, books: int) -> None:
    # Not by executescript: it would end the transaction that makes this all or nothing.
    for statement in re.split(r";$", _SCHEMA.read_text(), flags=re.MULTILINE):
        connection.execute(statement)
    connection.executemany("INSERT INTO sums (book) VALUES (?)", [(book,) for book in range(books)])
    connection.executemany(
        "INSERT INTO metadata (name, value) VALUES (?, ?)",
        [("ledger", uuid.uuid4().hex), ("created_by", f"gmv {__version__}")],
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
