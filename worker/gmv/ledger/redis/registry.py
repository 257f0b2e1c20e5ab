"""The ledger in Redis, the administrator's side."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from typing_extensions import override

from gmv import __version__
from gmv.errors import InvalidSettings, LedgerRefused
from gmv.ledger.administration import Registry
from gmv.ledger.admission import admit_books
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.fields import begin_field, first_field
from gmv.ledger.position import Position
from gmv.ledger.redis.books import FORMAT, RedisBooks
from gmv.ledger.redis.keys import (
    BOOKS_FIELD,
    CREATED_BY_FIELD,
    FORMAT_FIELD,
    LEDGER_ID_FIELD,
    WINDOW_FIELD,
    position_field,
)
from gmv.ledger.redis.server import RedisServer
from gmv.ledger.window import admit_window
from gmv.settings import LedgerSettings

COMMANDS: Final = ("hsetnx", "hget", "hmget", "hlen", "hscan", "evalsha", "script|load", "hset")
"""What an administrator's Redis user must be allowed to run for `gmv ledger init`, on the keys `~<namespace>:*`.

The last three are for a window alone.
"""


class RedisRegistry(Registry):
    """A `Registry`. Connects at the first call.

    Everything is set by HSETNX: what exists is never changed, two administrators at once make one ledger, and one
    that was interrupted is completed by the next.
    """

    def __init__(self, settings: LedgerSettings) -> None:
        self._books = RedisBooks(RedisServer(settings), settings)

    @override
    def create(self, books: int | None = None) -> None:
        """Make the books, book 0 last.

        Raises:
            LedgerRefused: a key of ours holds something else, or a book of another ledger.
            LedgerMissing: the ledger is there, and one of its books is gone.
        """
        admit_books(books)
        for book in range(books or 1):
            self._refuse_foreign(book)
        existing = self._settle(0, BOOKS_FIELD, str(books or 1).encode())
        number = self._books.number(0, BOOKS_FIELD, existing)
        if books not in (None, number):
            raise InvalidSettings(
                f"{self._books.server.url} holds a ledger of {number} books already, not {books}; "
                "their number is fixed when a ledger is made"
            )
        if self._books.server.call("HGET", self._books.key(0), FORMAT_FIELD) is not None:
            for book in self._books.numbers:  # a book that was lost since is restored, never recreated
                self._books.read(book, [])
            return
        ledger_id = self._settle(0, LEDGER_ID_FIELD, uuid.uuid4().hex.encode())
        for book in reversed(range(number)):  # book 0 last: its format is what says that all is there
            self._complete(book, existing, ledger_id)

    @override
    def first_partitions(self, topic: str, first: FirstPartitions) -> FirstPartitions:
        self._books.read(0, [])
        kept = self._settle(0, first_field(topic), first.encode().encode())
        return self._books.first_partitions(topic, kept)

    @override
    def register(
        self, topic: str, positions: Mapping[int, Position], log_starts: Mapping[int, int] | None = None
    ) -> tuple[int, ...]:
        new = []
        for partition, position in sorted(positions.items()):
            book, field = self._books.of(partition), position_field(topic, partition)
            if self._books.read(book, [field]) != [None]:
                continue
            begin = Begin(position.next_offset, (log_starts or {}).get(partition, position.next_offset))
            kept = self._settle(book, begin_field(topic, partition), begin.encode().encode())
            offset = self._books.begin(topic, partition, kept).offset
            value = replace(position, next_offset=offset).encode().encode()
            if self._settle(book, field, value) == value:
                new.append(partition)
        return tuple(new)

    @override
    def state_window(self, offsets: int) -> None:
        admit_window(offsets)
        for book in self._books.numbers:
            is_stated = False
            while not is_stated:  # another administrator may state one at the same time
                (held,) = self._books.read(book, [WINDOW_FIELD])
                is_stated = self._books.replace(book, WINDOW_FIELD, (held or b"").decode(), str(offsets))

    @override
    def close(self) -> None:
        """Close the connection."""
        self._books.server.close()

    def _complete(self, book: int, books: bytes, ledger_id: bytes) -> None:
        stated = {
            BOOKS_FIELD: books,
            LEDGER_ID_FIELD: ledger_id,
            CREATED_BY_FIELD: f"gmv {__version__}".encode(),
            FORMAT_FIELD: FORMAT,
        }
        found = {field: self._settle(book, field, value) for field, value in stated.items()}
        if found[LEDGER_ID_FIELD] != ledger_id or found[BOOKS_FIELD] != books:
            raise LedgerRefused(
                f"{self._books.server.url}: the key {self._books.key(book)} belongs to another ledger; "
                "restore the books that are missing, or take another namespace"
            )

    def _settle(self, book: int, field: str, value: bytes) -> bytes:
        """Return what the field holds after it was given the value if it had none."""
        key = self._books.key(book)
        self._books.server.call("HSETNX", key, field, value)
        settled: bytes = self._books.server.call("HGET", key, field)
        return settled

    def _refuse_foreign(self, book: int) -> None:
        key = self._books.key(book)
        (books,) = self._books.server.call("HMGET", key, BOOKS_FIELD)
        if books is None and self._books.server.call("HLEN", key) > 0:
            raise LedgerRefused(
                f"{self._books.server.url}: the key {key} holds fields but no ledger; take another namespace"
            )
