"""The books of a ledger in Redis: how many there are, where they are, and whether they are one ledger's."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gmv.errors import LedgerMissing, LedgerRefused
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.fence import parse
from gmv.ledger.fields import SUM_FIELDS, begin_field, first_field
from gmv.ledger.port import Sums
from gmv.ledger.position import Position
from gmv.ledger.redis.keys import BOOKS_FIELD, FORMAT_FIELD, LEDGER_ID_FIELD, WINDOW_FIELD, book_key
from gmv.ledger.redis.server import RedisServer, script
from gmv.ledger.sums import book_of
from gmv.settings import LedgerSettings

FORMAT = b"1"

T = TypeVar("T")


class Identity(NamedTuple):
    """What distinguishes one ledger from another at the same address."""

    ledger_id: bytes
    books: int


class RedisBooks:
    """Reads fields of books, and makes sure with each read that the book still is of the ledger first seen here.

    A server that lost its data, or on which somebody recreated the ledger, would otherwise answer like a young ledger.
    """

    def __init__(self, server: RedisServer, settings: LedgerSettings) -> None:
        self.server = server
        self.namespace = settings.namespace
        self._identity: Identity | None = None
        self._replacing = script("replace.lua")

    @property
    def identity(self) -> Identity:
        """Of the ledger, read once.

        Raises:
            LedgerMissing: there is none.
            LedgerRefused: it is of another format.
        """
        if self._identity is None:
            self._identity = self._read_identity()
        return self._identity

    @property
    def numbers(self) -> range:
        """The numbers of all books."""
        return range(self.identity.books)

    def key(self, book: int) -> str:
        """Return a book's key."""
        return book_key(self.namespace, book)

    def of(self, partition: int) -> int:
        """Return the number of a partition's book."""
        return book_of(partition, self.identity.books)

    def read(self, book: int, fields: list[Any]) -> list[bytes | None]:
        """Return the fields' values, in one reply (I6).

        Raises:
            LedgerMissing: the book is gone, or is another ledger's now.
        """
        values: list[bytes | None]
        ledger_id, *values = self.server.call("HMGET", self.key(book), LEDGER_ID_FIELD, *fields)
        if ledger_id != self.identity.ledger_id:
            raise self.gone(book)
        return values

    def replace(self, book: int, field: str, expected: str, text: str) -> bool:
        """Put a text into a field that still holds the expected one, "" for none; return whether it did.

        Raises:
            LedgerMissing: the book is gone, or is another ledger's now.
        """
        arguments = [LEDGER_ID_FIELD, self.identity.ledger_id, field, expected, text]
        answer = self.server.run(self._replacing, self.key(book), arguments)
        if answer == b"missing":
            raise self.gone(book)
        return bool(answer == b"replaced")

    def gone(self, book: int) -> LedgerMissing:
        """Return the refusal that says so."""
        return self.missing(f"book {book} is gone, or was recreated since this process began")

    def missing(self, what: str) -> LedgerMissing:
        """Return the refusal that says what is missing here and how a ledger is made."""
        where = f"{self.server.url}, namespace {self.namespace}"
        return LedgerMissing(
            f"{where}: {what}. If it was there before, restore the server's data; for one that never was, "
            f"`gmv ledger init --ledger {self.server.url}` with --topic NAME or --log EVENTS makes it"
        )

    def unregistered(self, topic: str, partition: int) -> LedgerMissing:
        """Return the refusal of a partition that has no position."""
        where = f"{self.server.url}, namespace {self.namespace}"
        return LedgerMissing(
            f"{where}: there is no position for {topic}[{partition}]. If the topic has more partitions now, or is new "
            f"to the ledger, `gmv ledger init --topic {topic} --ledger {self.server.url}` registers them from their "
            "beginning; if it was there before, restore the server's data"
        )

    def position(self, field: str, value: bytes) -> Position:
        """Parse a position.

        Raises:
            LedgerRefused: it is damaged.
        """
        position = parse(value.decode("utf-8", "replace"))
        if position is None:
            raise LedgerRefused(f"{self.server.url}: field {field!r} holds {value!r}, which is no position; restore it")
        return position

    def first_partitions(self, topic: str, value: bytes) -> FirstPartitions:
        """Parse which partitions a topic had when the ledger first knew it.

        Raises:
            LedgerRefused: it is damaged.
        """
        return self._parsed(FirstPartitions.decode, first_field(topic), value)

    def begin(self, topic: str, partition: int, value: bytes) -> Begin:
        """Parse where crediting of a partition began.

        Raises:
            LedgerRefused: it is damaged.
        """
        return self._parsed(Begin.decode, begin_field(topic, partition), value)

    def _parsed(self, decode: Callable[[str], T], field: str, value: bytes) -> T:
        try:
            return decode(value.decode())
        except ValueError as error:
            raise LedgerRefused(f"{self.server.url}: field {field!r} holds {value!r}; restore it") from error

    def positions(self, book: int, fields: list[str]) -> dict[str, Position]:
        """Return the positions that the fields of a book hold, by field, leaving out those that are not there."""
        return {
            field: self.position(field, value)
            for field, value in zip(fields, self.read(book, fields), strict=True)
            if value is not None
        }

    def window(self, book: int, value: bytes | None) -> int | None:
        """Parse the window that a book states.

        Raises:
            LedgerRefused: it is damaged.
        """
        return None if value is None else self.number(book, WINDOW_FIELD, value)

    def sums(self, book: int, values: list[bytes | None]) -> Sums:
        """Parse the values of `SUM_FIELDS`; a book that nothing was committed to has none.

        Raises:
            LedgerRefused: one is damaged.
        """
        return Sums(*(self.number(book, field, value) for field, value in zip(SUM_FIELDS, values, strict=True)))

    def number(self, book: int, field: str | bytes, value: bytes | None) -> int:
        """Parse a total or a count; a field that is not there counts 0.

        Raises:
            LedgerRefused: it is damaged.
        """
        if value is None:
            return 0
        if not value.isdigit():
            raise LedgerRefused(f"{self.server.url}: book {book}, field {field!r} holds {value!r}; restore it")
        return int(value)

    def _read_identity(self) -> Identity:
        fields = (FORMAT_FIELD, LEDGER_ID_FIELD, BOOKS_FIELD)
        found, ledger_id, books = self.server.call("HMGET", self.key(0), *fields)
        if found is None or ledger_id is None or books is None:
            raise self.missing("there is no ledger")
        if found != FORMAT:
            raise LedgerRefused(
                f"{self.server.url}: the ledger is of format {found.decode(errors='replace')}, and this gmv reads and "
                f"writes format {FORMAT.decode()}; use the gmv that made it"
            )
        return Identity(ledger_id, self.number(0, BOOKS_FIELD, books))
