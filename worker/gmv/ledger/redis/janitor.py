"""The ledger in Redis, the janitor's side: one script per sweep, whose one write is one HDEL."""

from collections import defaultdict
from typing import Any, Final

from typing_extensions import override

from gmv.ledger.administration import Janitor, Swept
from gmv.ledger.redis.books import RedisBooks
from gmv.ledger.redis.keys import EVENT_PREFIX, LEDGER_ID_FIELD, POSITION_PREFIX, WINDOW_FIELD
from gmv.ledger.redis.server import RedisServer, Tell, script
from gmv.ledger.window import SWEEP_FIELDS
from gmv.settings import LedgerSettings

COMMANDS: Final = ("evalsha", "script|load", "hmget", "hscan", "hdel")
"""What its Redis user must be allowed to run, on the keys `~<namespace>:*`; and HLEN to say how far a pass is."""

_START = b"0"


class RedisJanitor(Janitor):
    """A `Janitor`. Connects at the first call."""

    def __init__(self, settings: LedgerSettings, tell: Tell = lambda _: None) -> None:
        self._books = RedisBooks(RedisServer(settings, tell=tell), settings)
        self._script = script("janitor.lua")
        self._cursors: defaultdict[int, bytes] = defaultdict(lambda: _START)

    @property
    @override
    def books(self) -> int:
        return self._books.identity.books

    @override
    def window(self) -> int | None:
        """Of book 0, in which it was stated first."""
        (stated,) = self._books.read(0, [WINDOW_FIELD])
        return self._books.window(0, stated)

    @override
    def identities(self, book: int) -> int:
        """Owners are counted among them, which HSCAN passes over too."""
        self._books.read(book, [])
        return int(self._books.server.call("HLEN", self._books.key(book)))

    @override
    def sweep(self, book: int) -> Swept:
        """About a millisecond of the server's time."""
        return self._examine(book, "")

    @override
    def survey(self, book: int, window: int) -> Swept:
        return self._examine(book, str(window))

    @override
    def close(self) -> None:
        """Close the connection."""
        self._books.server.close()

    def _examine(self, book: int, instead: str) -> Swept:
        stated: list[Any] = [LEDGER_ID_FIELD, self._books.identity.ledger_id, WINDOW_FIELD]
        arguments = [*stated, EVENT_PREFIX, POSITION_PREFIX, self._cursors[book], SWEEP_FIELDS, instead]
        answer, *counted = self._books.server.run(self._script, self._books.key(book), arguments)
        if answer == b"missing":
            raise self._books.gone(book)
        self._cursors[book], seen, expired = counted
        return Swept(int(seen), int(expired), self._cursors[book] == _START)
