"""The ledger in one SQLite file, the reader's side."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from typing_extensions import override

from gmv.ledger.beginning import Beginning
from gmv.ledger.fields import BEGIN_PREFIX, FIRST_PREFIX, begin_field, first_field
from gmv.ledger.port import Accounts, Balance, Snapshot, Sums
from gmv.ledger.position import Position
from gmv.ledger.sqlite.file import SqliteFile
from gmv.ledger.sqlite.ledger import parse_begin, parse_first, parse_position, window_of
from gmv.ledger.sums import book_of, total_of

_SELECT_TOTAL: Final = "SELECT sum(micros) FROM balances WHERE owner_id = :owner_id AND book = coalesce(:book, book)"
_SELECT_SUMS: Final = "SELECT micros, credited, dead_letters, duplicates, corrections FROM sums"


class SqliteAccounts(Accounts):
    """An `Accounts`. Opens the file at the first call. Every answer is of one moment."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @override
    def books(self) -> int:
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM sums").fetchone()[0])

    @override
    def totals(self, owner_ids: Sequence[str], book: int | None = None) -> dict[str, int]:
        with self._file.reading() as connection:
            found = {
                owner_id: connection.execute(_SELECT_TOTAL, {"owner_id": owner_id, "book": book}).fetchone()[0]
                for owner_id in owner_ids
            }
        return {owner_id: total for owner_id, total in found.items() if total is not None}

    @override
    def balances(self) -> Iterator[Balance]:
        """Yield every owner once, in constant memory, all as of the moment of the first."""
        scan = self._file.another()  # its own connection: the reader may ask other things in between
        try:
            with scan.reading() as connection:
                for row in connection.execute("SELECT owner_id, sum(micros) FROM balances GROUP BY owner_id"):
                    yield Balance(*row)
        finally:
            scan.close()

    @override
    def sums(self) -> Sums:
        with self._file.reading() as connection:
            rows = connection.execute(_SELECT_SUMS).fetchall()
        return total_of([Sums(*row) for row in rows])

    @override
    def positions(self) -> dict[tuple[str, int], Position]:
        with self._file.reading() as connection:
            rows = connection.execute("SELECT topic, partition, position FROM positions").fetchall()
        return {(topic, number): parse_position(self._file, topic, number, text) for topic, number, text in rows}

    @override
    def beginning(self, topic: str, partitions: Collection[int]) -> Beginning:
        with self._file.reading() as connection:
            kept = dict(connection.execute("SELECT name, value FROM metadata WHERE name LIKE '#m:%'").fetchall())
        first = kept.get(first_field(topic))
        return Beginning(
            None if first is None else parse_first(self._file, topic, first),
            {
                number: parse_begin(self._file, topic, number, kept[begin_field(topic, number)])
                for number in partitions
                if begin_field(topic, number) in kept
            },
        )

    @override
    def snapshots(self, *, balances: bool = False) -> Iterator[Snapshot]:
        """All books as of one moment."""
        held: dict[int, dict[str, int]] = {}
        with self._file.reading() as connection:
            if balances:
                for book, owner_id, micros in connection.execute("SELECT book, owner_id, micros FROM balances"):
                    held.setdefault(book, {})[owner_id] = micros
            sums = connection.execute(_SELECT_SUMS.replace("micros", "book, micros", 1)).fetchall()
            owners = connection.execute("SELECT book, count(*), sum(micros) FROM balances GROUP BY book").fetchall()
            events = dict(connection.execute("SELECT book, count(*) FROM events GROUP BY book").fetchall())
            positions = connection.execute("SELECT topic, partition, position FROM positions").fetchall()
            window = window_of(connection)
            kept = connection.execute("SELECT name, value FROM metadata WHERE name LIKE '#m:%'").fetchall()
        owned = {book: (count, micros) for book, count, micros in owners}
        for book, *counts in sums:
            count, micros = owned.get(book, (0, 0))
            yield Snapshot(
                book=book,
                owners=count,
                micros=micros,
                events=events.get(book, 0),
                sums=Sums(*counts),
                positions={
                    (topic, number): parse_position(self._file, topic, number, text)
                    for topic, number, text in positions
                    if book_of(number, len(sums)) == book
                },
                window=window,
                balances=held.get(book, {}),
                begins={
                    place: parse_begin(self._file, *place, text)
                    for place, text in _begins(kept)
                    if book_of(place[1], len(sums)) == book
                },
                first={
                    name.removeprefix(FIRST_PREFIX): parse_first(self._file, name.removeprefix(FIRST_PREFIX), text)
                    for name, text in kept
                    if name.startswith(FIRST_PREFIX) and book == 0
                },
            )

    @override
    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _begins(kept: list[tuple[str, str]]) -> Iterator[tuple[tuple[str, int], str]]:
    for name, text in kept:
        if name.startswith(BEGIN_PREFIX):
            topic, _, partition = name.removeprefix(BEGIN_PREFIX).rpartition(":")
            yield (topic, int(partition)), text
