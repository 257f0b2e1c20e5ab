"""A member that has both partitions of its topic."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gmv.stream import membership

from .room import FIRST, SECOND, Room


@pytest.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:  # type: ignore[misc]
    monkeypatch.setattr(membership, "IDLE_WAIT_SECONDS", 0.001)
    with ThreadPoolExecutor(1) as executor:
        room = Room(executor)
        await room.member.begin()
        await room.member.assign({FIRST, SECOND})
        yield room
