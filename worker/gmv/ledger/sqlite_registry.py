"""The ledger in one SQLite file, the administrator's side."""

import re
import sqlite3
import uuid
from collections.abc import Mapping
from pathlib import Path

from gmv import __version__
from gmv.errors import InvalidSettings
from gmv.ledger.admission import admit_books
from gmv.ledger.position import Position
from gmv.ledger.sqlite_file import APPLICATION_ID, FORMAT, SqliteFile
from gmv.ledger.window import admit_window

_SCHEMA = Path(__file__).with_name("sqlite_schema.sql")


class SqliteRegistry:
    """A `Registry`. Opens the file at the first call."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def create(self, books: int | None = None) -> None:
        """See `Registry.create`.

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

    def register(self, topic: str, positions: Mapping[int, Position]) -> tuple[int, ...]:
        """See `Registry.register`."""
        with self._file.transaction() as connection:
            return tuple(
                partition
                for partition, position in sorted(positions.items())
                if connection.execute(
                    "INSERT INTO positions (topic, partition, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (topic, partition, position.encode()),
                ).rowcount
            )

    def state_window(self, offsets: int) -> None:
        """See `Registry.state_window`."""
        admit_window(offsets)
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO metadata (name, value) VALUES ('identity_window', ?)", (str(offsets),)
            )

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
