"""Runs that were begun and are not committed yet: one is attributed, others are published and committed meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Generator

from typing_extensions import override

from gmv.stream.records import Partition, Run


class RunsInFlight:
    """At most one run of each partition: the next would begin beyond the position.

    Attributes:
        records: how many they hold.
        failure: what ended the first that failed. No run may be begun after it: it could begin beyond that one.
    """

    def __init__(
        self, credit: Callable[[Run, Awaitable[None]], Awaitable[None]], when_one_ends: Callable[[], None]
    ) -> None:
        """Credit runs by this coroutine, which waits for its second argument once it has attributed the first."""
        self.records = 0
        self.failure: BaseException | None = None
        self._credit = credit
        self._when_one_ends = when_one_ends
        self._tasks: dict[Partition, asyncio.Task[None]] = {}

    @property
    def partitions(self) -> Collection[Partition]:
        """Those that have a run in flight."""
        return self._tasks.keys()

    async def begin(self, run: Run, confirmation: asyncio.Future[None]) -> None:
        """Begin a run and return when it is attributed, or has failed; nothing of it is published unconfirmed."""
        confirmed = _Confirmed(confirmation)
        self.records += len(run.records)
        self._tasks[run.partition] = asyncio.create_task(self._to_its_end(run, confirmed))
        await confirmed.is_wanted.wait()

    async def all_ended(self) -> None:
        """Wait for all that are in flight now."""
        while self._tasks:
            await asyncio.wait([*self._tasks.values()])

    async def _to_its_end(self, run: Run, confirmed: "_Confirmed") -> None:
        try:
            await self._credit(run, confirmed)
        except BaseException as error:
            self.failure = self.failure or error
            if not isinstance(error, Exception):
                raise
        finally:
            del self._tasks[run.partition]
            self.records -= len(run.records)
            confirmed.is_wanted.set()
            self._when_one_ends()


class _Confirmed(Awaitable[None]):
    """A confirmation that says when somebody waits for it."""

    def __init__(self, confirmation: asyncio.Future[None]) -> None:
        self._confirmation = confirmation
        self.is_wanted = asyncio.Event()

    @override
    def __await__(self) -> Generator[None, None, None]:
        self.is_wanted.set()
        return self._confirmation.__await__()
