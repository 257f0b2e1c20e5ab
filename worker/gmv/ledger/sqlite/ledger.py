"""The ledger in one SQLite file, the worker's side: what Redis does in one script, in one transaction."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from typing_extensions import override

from gmv.errors import LedgerRefused
from gmv.ledger.admission import admit
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.fence import decide, parse
from gmv.ledger.fields import OWNER_PREFIX, SUM_FIELDS, begin_field, first_field, note_field
from gmv.ledger.port import MICROS_MAX, Answer, Batch, Committed, Duplicate, Known, Ledger, OutOfRange, Rewound
from gmv.ledger.position import Position
from gmv.ledger.sqlite.file import SqliteFile
from gmv.ledger.sums import book_of, counts_of
from gmv.ledger.window import counts

T = TypeVar("T")

_SELECT_POSITION: Final = "SELECT position FROM positions WHERE topic = ? AND partition = ?"
_MOVE_POSITION: Final = "UPDATE positions SET position = ? WHERE topic = ? AND partition = ?"
_SELECT_EVENT: Final = 'SELECT topic, partition, "offset", payload FROM events WHERE book = ? AND identity = ?'
_ADD_EVENT: Final = (
    'INSERT OR REPLACE INTO events (book, identity, topic, partition, "offset", payload) VALUES (?, ?, ?, ?, ?, ?)'
)
_SELECT_WINDOW: Final = "SELECT value FROM metadata WHERE name = 'identity_window'"
_SELECT_BALANCE: Final = "SELECT micros FROM balances WHERE owner_id = ? AND book = ?"
_ADD_BALANCE: Final = (
    "INSERT INTO balances (owner_id, book, micros) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET micros = micros + excluded.micros"
)
_SELECT_NOTE: Final = "SELECT value FROM metadata WHERE name = ?"
_SET_NOTE: Final = "INSERT INTO metadata (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_TAKE_AWAY: Final = "UPDATE balances SET micros = micros - ? WHERE owner_id = ? AND book = ?"
_SELECT_SUMS: Final = "SELECT micros, credited, dead_letters, duplicates, corrections FROM sums WHERE book = ?"
_SET_SUMS: Final = (
    "UPDATE sums SET micros = ?, credited = ?, dead_letters = ?, duplicates = ?, corrections = ? WHERE book = ?"
)


class SqliteLedger(Ledger):
    """A `Ledger`. Opens the file at the first call."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @override
    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        with self._file.reading() as connection:
            return {partition: self._position(connection, topic, partition) for partition in sorted(partitions)}

    @override
    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        with self._file.reading() as connection:
            kept = connection.execute(_SELECT_NOTE, (first_field(topic),)).fetchone()
            if kept is None:
                return set()
            added = set(partitions) - parse_first(self._file, topic, kept[0]).begins.keys()
            return {
                number for number in added if connection.execute(_SELECT_POSITION, (topic, number)).fetchone() is None
            }

    @override
    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        with self._file.reading() as connection:
            return _known(connection, _book(connection, partition), identities)

    @override
    def commit(self, batch: Batch) -> Answer:
        admit(batch)
        with self._file.transaction() as connection:
            book = _book(connection, batch.partition)
            found = connection.execute(_SELECT_POSITION, (batch.topic, batch.partition)).fetchone()
            if found is None or found[0] != batch.expected.encode():
                return decide(found and found[0], batch.expected, batch.next)
            if known := _known(connection, book, [entry.identity for entry in batch.entries]):
                return Duplicate(frozenset(known))
            credited = _known(connection, book, list(batch.repeats))
            if {identity: place.payload for identity, place in credited.items()} != batch.repeats:
                return Rewound(batch.expected)
            sums = _sums_after(connection, book, batch)
            if (max(sums) > MICROS_MAX or batch.debits) and (
                field := _field_out_of_range(connection, book, batch, sums)
            ):
                return OutOfRange(field)
            _write(connection, book, batch, sums)
            return Committed()

    @override
    def note(self, topic: str, partition: int) -> str | None:
        with self._file.reading() as connection:
            found = connection.execute(_SELECT_NOTE, (note_field(topic, partition),)).fetchone()
            return None if found is None else str(found[0])

    @override
    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        field = note_field(topic, partition)
        with self._file.transaction() as connection:
            found = connection.execute(_SELECT_NOTE, (field,)).fetchone()
            if (found and found[0]) != expected:
                return False
            connection.execute(_SET_NOTE, (field, text))
            return True

    @override
    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _position(self, connection: sqlite3.Connection, topic: str, partition: int) -> Position:
        found = connection.execute(_SELECT_POSITION, (topic, partition)).fetchone()
        if found is None:
            raise self._file.unregistered(topic, partition)
        return parse_position(self._file, topic, partition, found[0])


def parse_position(file: SqliteFile, topic: str, partition: int, text: str) -> Position:
    """Parse a position.

    Raises:
        LedgerRefused: it is damaged.
    """
    position = parse(text)
    if position is None:
        raise LedgerRefused(f"{file.path}: {topic}[{partition}] has {text!r}, which is no position; restore the file")
    return position


def parse_first(file: SqliteFile, topic: str, text: str) -> FirstPartitions:
    """Parse which partitions a topic had when the ledger first knew it.

    Raises:
        LedgerRefused: it is damaged.
    """
    return _parsed(file, FirstPartitions.decode, first_field(topic), text)


def parse_begin(file: SqliteFile, topic: str, partition: int, text: str) -> Begin:
    """Parse where crediting of a partition began. Raises as `parse_first`."""
    return _parsed(file, Begin.decode, begin_field(topic, partition), text)


def _parsed(file: SqliteFile, decode: Callable[[str], T], name: str, text: str) -> T:
    try:
        return decode(text)
    except ValueError as error:
        raise LedgerRefused(f"{file.path}: {name!r} is {text!r}; restore the file") from error


def window_of(connection: sqlite3.Connection) -> int | None:
    """Return for how many offsets events count as credited; see `window.py`."""
    found = connection.execute(_SELECT_WINDOW).fetchone()
    return None if found is None else int(found[0])


class Positions:
    """Positions, as a transaction sees them, each read once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._positions: dict[tuple[str, int], Position | None] = {}

    def of(self, topic: str, partition: int) -> Position | None:
        """Return a partition's position, None where it has none."""
        log = topic, partition
        if log not in self._positions:
            found = self._connection.execute(_SELECT_POSITION, log).fetchone()
            self._positions[log] = found and parse(found[0])
        return self._positions[log]


def _book(connection: sqlite3.Connection, partition: int) -> int:
    (books,) = connection.execute("SELECT count(*) FROM sums").fetchone()
    return book_of(partition, books)


def _known(connection: sqlite3.Connection, book: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
    """Return those of the identities that count as credited."""
    window, positions = window_of(connection), Positions(connection)
    known: dict[bytes, Known] = {}
    for identity in identities:
        found = connection.execute(_SELECT_EVENT, (book, identity)).fetchone()
        if found is not None and counts(found[2], positions.of(*found[:2]) if window else None, window):
            known[identity] = Known(*found[1:])
    return known


def _sums_after(connection: sqlite3.Connection, book: int, batch: Batch) -> list[int]:
    held = connection.execute(_SELECT_SUMS, (book,)).fetchone()
    return [before + more for before, more in zip(held, counts_of(batch), strict=True)]


def _field_out_of_range(connection: sqlite3.Connection, book: int, batch: Batch, sums: list[int]) -> str | None:
    """Name the field, in the Redis ledger's words and order, owners first; None where all stay in their range.

    An owner's total leaves its range only where the book's sum does, since it is a part of it (I2), or where something
    is taken away; so the owners are looked at here alone.
    """
    for owner_id, micros in batch.changes.items():
        held = connection.execute(_SELECT_BALANCE, (owner_id, book)).fetchone()
        if not 0 <= (held[0] if held else 0) + micros <= MICROS_MAX:
            return OWNER_PREFIX + owner_id
    return next((field for field, total in zip(SUM_FIELDS, sums, strict=True) if total > MICROS_MAX), None)


def _write(connection: sqlite3.Connection, book: int, batch: Batch, sums: list[int]) -> None:
    connection.executemany(_ADD_BALANCE, [(owner_id, book, micros) for owner_id, micros in batch.credits.items()])
    connection.executemany(_TAKE_AWAY, [(micros, owner_id, book) for owner_id, micros in batch.debits.items()])
    connection.executemany(
        _ADD_EVENT,
        [(book, entry.identity, batch.topic, batch.partition, entry.offset, entry.payload) for entry in batch.entries],
    )
    connection.execute(_SET_SUMS, (*sums, book))
    connection.execute(_MOVE_POSITION, (batch.next.encode(), batch.topic, batch.partition))
