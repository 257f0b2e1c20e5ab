"""The ledger in Redis, the worker's side: one hash per book, one script per commit."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from typing_extensions import override

from gmv.errors import LedgerRefused
from gmv.ledger.admission import admit
from gmv.ledger.fence import decide
from gmv.ledger.fields import first_field, note_field
from gmv.ledger.port import Answer, Batch, Committed, Duplicate, Known, Ledger, Missing, OutOfRange, Rewound
from gmv.ledger.position import Position
from gmv.ledger.redis.books import RedisBooks
from gmv.ledger.redis.keys import (
    EVENT_PREFIX,
    LEDGER_ID_FIELD,
    POSITION_PREFIX,
    WINDOW_FIELD,
    counters,
    credited_at,
    event_field,
    event_value,
    position_field,
)
from gmv.ledger.redis.server import RedisServer, Tell, script
from gmv.ledger.window import counts
from gmv.settings import LedgerSettings

COMMANDS: Final = ("evalsha", "script|load", "hmget", "hset")
"""What a worker's Redis user must be allowed to run, on the keys `~<namespace>:*`; and SELECT for a database but 0."""


class RedisLedger(Ledger):
    """A `Ledger`. Connects at the first call.

    A commit whose reply is lost is sent again. The position decides then: it is where the batch leads, so the
    second sending changes nothing and the answer is `AlreadyCommitted`.
    """

    def __init__(self, settings: LedgerSettings, tell: Tell = lambda _: None) -> None:
        self._books = RedisBooks(RedisServer(settings, tell=tell), settings)
        self._script = script("commit.lua")

    @override
    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        found: dict[int, Position] = {}
        for book in sorted({self._books.of(partition) for partition in partitions}):
            numbers = [partition for partition in sorted(partitions) if self._books.of(partition) == book]
            fields = [position_field(topic, number) for number in numbers]
            for number, field, value in zip(numbers, fields, self._books.read(book, fields), strict=True):
                if value is None:
                    raise self._books.unregistered(topic, number)
                found[number] = self._books.position(field, value)
        return found

    @override
    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        (kept,) = self._books.read(0, [first_field(topic)])
        if kept is None:
            return set()
        added = set(partitions) - self._books.first_partitions(topic, kept).begins.keys()
        return {
            number
            for number in added
            if self._books.read(self._books.of(number), [position_field(topic, number)]) == [None]
        }

    @override
    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        book = self._books.of(partition)
        fields = [event_field(identity) for identity in identities]
        stated, *values = self._books.read(book, [WINDOW_FIELD, *fields])
        kept = {
            identity: self._credited_at(identity, value)
            for identity, value in zip(identities, values, strict=True)
            if value is not None
        }
        window = self._books.window(book, stated)
        if window is None or not kept:
            return {identity: place for identity, (_, place) in kept.items()}
        logs = {position_field(topic, place.partition) for topic, place in kept.values()}
        positions = self._books.positions(book, sorted(logs))
        return {
            identity: place
            for identity, (topic, place) in kept.items()
            if counts(place.offset, positions.get(position_field(topic, place.partition)), window)
        }

    @override
    def commit(self, batch: Batch) -> Answer:
        admit(batch)
        key = self._books.key(self._books.of(batch.partition))
        arguments = _arguments(batch, self._books.identity.ledger_id)
        answer, *rest = self._books.server.run(self._script, key, arguments)
        match answer:
            case b"committed":
                return Committed()
            case b"moved":
                return decide(rest[0].decode("utf-8", "replace"), batch.expected, batch.next)
            case b"known":
                return Duplicate(frozenset(field.removeprefix(EVENT_PREFIX) for field in rest))
            case b"forgotten":
                return Rewound(batch.expected)
            case b"range":
                return OutOfRange(rest[0].decode())
            case b"missing":
                return Missing()
            case _:
                raise LedgerRefused(f"{self._books.server.url}: the commit script answered {answer!r}")

    @override
    def note(self, topic: str, partition: int) -> str | None:
        (text,) = self._books.read(self._books.of(partition), [note_field(topic, partition)])
        return None if text is None else text.decode("utf-8", "replace")

    @override
    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        return self._books.replace(self._books.of(partition), note_field(topic, partition), expected or "", text)

    @override
    def close(self) -> None:
        """Close the connection."""
        self._books.server.close()

    def _credited_at(self, identity: bytes, value: bytes) -> tuple[str, Known]:
        try:
            return credited_at(value)
        except ValueError as error:
            raise LedgerRefused(
                f"{self._books.server.url}: event {identity.hex()} holds {value!r}, which names no place; restore it"
            ) from error


def _arguments(batch: Batch, ledger_id: bytes) -> list[Any]:
    """Return the commit script's ARGV; redis-py's packer turns text and integers into bytes."""
    added = counters(batch)
    return [
        batch.expected.encode(),
        batch.next.encode(),
        ledger_id,
        POSITION_PREFIX,
        len(added),
        len(batch.entries),
        len(batch.repeats),
        position_field(batch.topic, batch.partition),
        LEDGER_ID_FIELD,
        WINDOW_FIELD,
        *added,
        *[event_field(entry.identity) for entry in batch.entries],
        *[event_field(identity) for identity in batch.repeats],
        *added.values(),
        *[event_value(batch.topic, batch.partition, entry) for entry in batch.entries],
        *batch.repeats.values(),
    ]
