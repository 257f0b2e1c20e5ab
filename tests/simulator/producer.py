"""What the real `KafkaOutbox` sends through: a Faust app's producer, as far as it knows it, and the topics behind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaTimeoutError

from .loop import SimulatedLoop

DELIVERY_SECONDS = 3.0

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Sender:
    """Who sent a record, and in which attempt: a worker reads a record again only after a seek.

    Attributes:
        process: its name.
        seeks: how often it had sought each partition.
    """

    process: str
    seeks: Mapping[int, int]


@dataclass(frozen=True)
class Published:
    """A record as a topic holds it, and who sent it."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    sender: Sender


@dataclass
class Shelf:
    """A topic that is written to."""

    records: list[Published] = field(default_factory=list)
    is_available: bool = True
    acknowledgements_to_lose: int = 0


@dataclass
class App:
    """One process's producer."""

    loop: SimulatedLoop
    latency: Callable[[], float]
    shelves: dict[str, Shelf]
    sender: Callable[[], Sender]

    async def maybe_start_producer(self) -> "Producer":
        """See `faust.App`."""
        return Producer(self)


@dataclass
class Producer:
    """One process's way to the topics."""

    app: App

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        _partition: None,
        _timestamp: None,
        headers: Headers,
    ) -> Awaitable[Any]:
        """Hand a record over; what is returned waits for its acknowledgement."""
        acknowledged: asyncio.Future[None] = self.app.loop.create_future()
        record = Published(key, value, tuple(headers), self.app.sender())
        self.app.loop.outside(self.app.latency(), self._arrive, self.app.shelves[topic], record, acknowledged)
        return acknowledged

    def _arrive(self, shelf: Shelf, record: Published, acknowledged: asyncio.Future[None]) -> None:
        is_lost = not shelf.is_available
        if not is_lost:
            shelf.records.append(record)
            if shelf.acknowledgements_to_lose:
                shelf.acknowledgements_to_lose -= 1
                is_lost = True
        delay = DELIVERY_SECONDS if is_lost else self.app.latency()
        self.app.loop.outside(delay, self._answer, acknowledged, is_lost)

    def _answer(self, acknowledged: asyncio.Future[None], is_lost: bool) -> None:
        if acknowledged.done():
            return
        if is_lost:
            acknowledged.set_exception(KafkaTimeoutError("not acknowledged"))
        else:
            acknowledged.set_result(None)
