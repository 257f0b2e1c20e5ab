"""The ledger in one SQLite file, the janitor's side: one transaction per sweep."""

import sqlite3
from collections import defaultdict

from typing_extensions import override

from gmv.ledger.administration import Janitor, Swept
from gmv.ledger.sqlite.file import SqliteFile
from gmv.ledger.sqlite.ledger import Positions, window_of
from gmv.ledger.window import SWEEP_FIELDS, counts

_PAGE = (
    'SELECT identity, topic, partition, "offset" FROM events WHERE book = ? AND identity > ? ORDER BY identity LIMIT ?'
)
_REMOVE = "DELETE FROM events WHERE book = ? AND identity = ?"
_START = b""


class SqliteJanitor(Janitor):
    """A `Janitor`. Opens the file at the first call."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._seen_up_to: defaultdict[int, bytes] = defaultdict(lambda: _START)

    @property
    @override
    def books(self) -> int:
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM sums").fetchone()[0])

    @override
    def window(self) -> int | None:
        with self._file.reading() as connection:
            return window_of(connection)

    @override
    def identities(self, book: int) -> int:
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM events WHERE book = ?", (book,)).fetchone()[0])

    @override
    def sweep(self, book: int) -> Swept:
        with self._file.transaction() as connection:
            window = window_of(connection)
            if window is None:
                return Swept(0, 0, is_pass_over=True)
            swept, expired = self._examine(connection, book, window)
            connection.executemany(_REMOVE, [(book, identity) for identity in expired])
        return swept

    @override
    def survey(self, book: int, window: int) -> Swept:
        with self._file.reading() as connection:
            return self._examine(connection, book, window)[0]

    @override
    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _examine(self, connection: sqlite3.Connection, book: int, window: int) -> tuple[Swept, list[bytes]]:
        page = connection.execute(_PAGE, (book, self._seen_up_to[book], SWEEP_FIELDS)).fetchall()
        positions = Positions(connection)
        expired = [
            identity
            for identity, topic, partition, offset in page
            if not counts(offset, positions.of(topic, partition), window)
        ]
        is_pass_over = len(page) < SWEEP_FIELDS
        self._seen_up_to[book] = _START if is_pass_over else page[-1][0]
        return Swept(len(page), len(expired), is_pass_over), expired
