"""The name of a static member, which one worker of a group can hold: what a worker does that lost it to another.

A group gives a name to whoever joins by it last, so that a worker that is started again has it at once. Who had it
before hears only that the group does not know it any more, and its client joins again: two workers by one name would
evict each other with every heartbeat, for ever. So a worker that lost its name joins again only once nobody has it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Final, Protocol

from gmv.errors import LogUnavailable
from gmv.kafka.admin import Holder
from gmv.settings import KafkaSettings
from gmv.stream.ports import MemberObserver

WAITS_SECONDS: Final = (5.0, 10.0, 20.0, 30.0)
"""Between looks at who has the name, the last for ever. One that died has it for as long as its session lasts."""


class Group(Protocol):
    """The part of a `KafkaLog` that is used."""

    async def holder(self, instance_id: str) -> Holder | None:
        """Return which member of the group has that name, None where none has; raises `LogUnavailable`."""


class InstanceId:
    """`kafka.instance_id`, as far as this worker has it; without one, nothing here does anything."""

    def __init__(
        self,
        kafka: KafkaSettings,
        group: Group,
        observer: MemberObserver,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take what is used.

        Args:
            kafka: the name.
            group: is asked who has it.
            observer: is told who has it in our place.
            sleep: may end early, where the worker is stopping.
        """
        self._name = kafka.instance_id
        self._group = group
        self._observer = observer
        self._sleep = sleep
        self._ours: str | None = None
        self._theirs: Holder | None = None

    async def joined(self) -> None:
        """Take note of who we are in the group, which the client does not say; right after we joined it."""
        if self._name is not None:
            try:
                holder = await self._group.holder(self._name)
            except LogUnavailable:
                holder = None
            self._ours = holder.member_id if holder else None

    async def is_anothers(self) -> bool:
        """Tell whether another member has the name now."""
        return await self._other() is not None

    async def wait_while_lost(self, is_stopping: Callable[[], bool]) -> None:
        """Return at once where we joined by the name and have it still, or never joined; else when nobody has it."""
        if self._ours is not None:
            await self.wait_until_free(is_stopping)

    async def wait_until_free(self, is_stopping: Callable[[], bool]) -> None:
        """Return when no other member has the name, or where the worker is stopping."""
        waits = chain(WAITS_SECONDS, repeat(WAITS_SECONDS[-1]))
        while not is_stopping() and (other := await self._other()):
            self._observer.instance_id_taken(other.host)
            await self._sleep(next(waits))
        if self._theirs is None:
            self._observer.instance_id_free()

    async def _other(self) -> Holder | None:
        """Who had it at the last look that was answered: brokers that are away are no reason to evict somebody."""
        if self._name is None:
            return None
        try:
            holder = await self._group.holder(self._name)
        except LogUnavailable:
            return self._theirs
        self._theirs = None if holder is None or holder.member_id == self._ours else holder
        return self._theirs
