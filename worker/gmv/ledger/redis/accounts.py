"""The ledger in Redis, the reader's side."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from typing_extensions import override

from gmv.errors import LedgerRefused
from gmv.ledger.beginning import Begin, Beginning
from gmv.ledger.fields import BEGIN_PREFIX, FIRST_PREFIX, OWNER_PREFIX, SUM_FIELDS, begin_field, first_field
from gmv.ledger.port import Accounts, Balance, Snapshot, Sums
from gmv.ledger.position import Position
from gmv.ledger.redis.books import RedisBooks
from gmv.ledger.redis.keys import POSITION_PREFIX, WINDOW_FIELD, partition_of
from gmv.ledger.redis.server import RedisServer, script
from gmv.ledger.sums import total_of
from gmv.settings import LedgerSettings

COMMANDS: Final = ("evalsha_ro", "script|load", "hmget", "hscan", "hlen")
"""What a reader's Redis user must be allowed to run, on `%R~<namespace>:*`; the first two for `snapshots` alone."""

_SNAPSHOT_SECONDS = 120.0  # with less time, a snapshot would be asked for again, and stop the server again
_PAGE_FIELDS = 1_000  # a millisecond of the server's time; commits go on between pages
_ALL_BUT_EVENTS = "[o#][:pmsn]*"


class RedisAccounts(Accounts):
    """An `Accounts`. Connects at the first call."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._books = RedisBooks(RedisServer(settings, _SNAPSHOT_SECONDS), settings)
        self._snapshot = script("snapshot.lua")

    @override
    def books(self) -> int:
        return len(self._books.numbers)

    @override
    def totals(self, owner_ids: Sequence[str], book: int | None = None) -> dict[str, int]:
        totals: dict[str, int] = {}
        fields = [OWNER_PREFIX + owner_id for owner_id in dict.fromkeys(owner_ids)]
        for each in self._books.numbers if book is None else [book]:
            for field, value in zip(fields, self._books.read(each, fields), strict=True):
                if value is not None:
                    owner_id = field.removeprefix(OWNER_PREFIX)
                    totals[owner_id] = totals.get(owner_id, 0) + self._books.number(each, field, value)
        return totals

    @override
    def balances(self) -> Iterator[Balance]:
        """Yield every owner once, page by page, in constant memory.

        Each book is scanned; an owner who is in an earlier book too was yielded there. Exact while nobody commits.
        While commits go on, each total is one that the owner had at some moment of the scan, so the sum fits no one
        moment, and an owner whose first credit in a book falls into the scan may be left out. `snapshots` is for sums.
        """
        for book in self._books.numbers:
            for page in self._pages(book, OWNER_PREFIX + "*"):
                yield from self._merged(book, page)

    @override
    def sums(self) -> Sums:
        return total_of(
            [self._books.sums(book, self._books.read(book, list(SUM_FIELDS))) for book in self._books.numbers]
        )

    @override
    def positions(self) -> dict[tuple[str, int], Position]:
        """Passes over all fields of all books."""
        found: dict[tuple[str, int], Position] = {}
        for book in self._books.numbers:
            for page in self._pages(book, POSITION_PREFIX + "*"):
                found.update(self._positions(page))
        return found

    @override
    def beginning(self, topic: str, partitions: Collection[int]) -> Beginning:
        (kept,) = self._books.read(0, [first_field(topic)])
        first = None if kept is None else self._books.first_partitions(topic, kept)
        begins: dict[int, Begin] = {}
        for number in partitions:
            (value,) = self._books.read(self._books.of(number), [begin_field(topic, number)])
            if value is not None:
                begins[number] = self._books.begin(topic, number, value)
        return Beginning(first, begins)

    @override
    def snapshots(self, *, balances: bool = False) -> Iterator[Snapshot]:
        """Yield each book; its server does nothing else meanwhile: 1.8 s for a million owners and as many events.

        Beyond some 30 million fields, `ledger.retry_seconds` has to be raised for the reader, and for its workers,
        which wait meanwhile.
        """
        for book in self._books.numbers:
            self._books.read(book, [])
            yield self._read_snapshot(book, balances)

    @override
    def close(self) -> None:
        """Close the connection."""
        self._books.server.close()

    def _pages(self, book: int, pattern: str) -> Iterator[dict[bytes, bytes]]:
        self._books.read(book, [])
        cursor: Any = 0
        while True:
            cursor, page = self._books.server.call(
                "HSCAN", self._books.key(book), cursor, "MATCH", pattern, "COUNT", _PAGE_FIELDS
            )
            if page:
                yield page
            if int(cursor) == 0:
                return

    def _merged(self, book: int, page: dict[bytes, bytes]) -> Iterator[Balance]:
        """Add to a page of one book what its owners have in the others; leave out owners of earlier books."""
        fields = list(page)
        held = {other: self._books.read(other, fields) for other in self._books.numbers if other != book}
        held[book] = list(page.values())
        for place, field in enumerate(fields):
            if any(held[earlier][place] is not None for earlier in range(book)):
                continue
            totals = [self._books.number(of, field, values[place]) for of, values in held.items()]
            yield Balance(self._owner(field), sum(totals))

    def _read_snapshot(self, book: int, balances: bool) -> Snapshot:
        arguments = [_ALL_BUT_EVENTS, OWNER_PREFIX, "each" if balances else "summed"]
        answer = self._books.server.run(self._snapshot, self._books.key(book), arguments, reads_only=True)
        if answer[0] != b"read":
            raise LedgerRefused(
                f"{self._books.server.url}: book {book}, field {answer[1]!r} holds no total; restore it"
            )
        _, micros, owners, events, rest, each = answer
        fields = dict(zip(rest[::2], rest[1::2], strict=True))
        return Snapshot(
            book=book,
            owners=owners,
            micros=int(micros),
            events=int(events),
            sums=self._books.sums(book, [fields.get(field.encode()) for field in SUM_FIELDS]),
            positions=self._positions(fields),
            begins={
                partition_of(name, BEGIN_PREFIX): self._books.begin(*partition_of(name, BEGIN_PREFIX), value)
                for name, value in _starting(fields, BEGIN_PREFIX)
            },
            first={
                topic: self._books.first_partitions(topic, value)
                for topic, value in ((n.removeprefix(FIRST_PREFIX), v) for n, v in _starting(fields, FIRST_PREFIX))
            },
            window=self._books.window(book, fields.get(WINDOW_FIELD.encode())),
            balances={
                self._owner(field): self._books.number(book, field, total)
                for field, total in zip(each[::2], each[1::2], strict=True)
            },
        )

    def _owner(self, field: bytes) -> str:
        try:
            return field.decode().removeprefix(OWNER_PREFIX)
        except UnicodeDecodeError as error:
            raise LedgerRefused(f"{self._books.server.url}: field {field!r} is no owner's; restore the book") from error

    def _positions(self, fields: dict[bytes, bytes]) -> dict[tuple[str, int], Position]:
        return {
            partition_of(name): self._books.position(name, value) for name, value in _starting(fields, POSITION_PREFIX)
        }


def _starting(fields: dict[bytes, bytes], prefix: str) -> Iterator[tuple[str, bytes]]:
    return ((field.decode(), value) for field, value in fields.items() if field.startswith(prefix.encode()))
