"""A run is credited by one index to its end, whatever is published meanwhile."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import orjson
import pytest
from typing_extensions import override

from gmv.errors import Poison
from gmv.events.model import GeneratedImage
from gmv.ledger.port import FIELDS_MAX, Committed, Duplicate, Known
from gmv.stream.core import Core
from gmv.stream.outcomes import Stamp
from gmv.stream.ports import DeadLetter, SealedReceipt, Valuer
from gmv.stream.records import Partition, Record, Run
from gmv.stream.stamped import StampedValuer, Valuers
from gmv.valuation.types import Attribution

from .world import (
    PARTITION,
    EqualShares,
    JsonDecoder,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
)


@dataclass
class Published(Valuers):
    """Credits by the index that was published last; index n pays all to the owner `o-n`."""

    number: int = 0
    asked: int = 0

    @override
    def current(self) -> StampedValuer:
        self.asked += 1
        return StampedValuer(PaysOne(self, self.number), Stamp(f"index {self.number}", f"settings {self.number}"))


@dataclass
class PaysOne(Valuer):
    """While it attributes, the next index is published."""

    published: Published
    number: int

    @override
    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        self.published.number += 1
        return EqualShares(lambda _owners, _copies: ([f"o-{self.number}"], 0)).attribute(events)


@dataclass
class PublishingOutbox(MemoryOutbox):
    """While it publishes receipts, the next index is published, too."""

    published: Published = field(default_factory=Published)

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        await super().publish(partition, receipts, dead_letters)
        self.published.number += 1


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@dataclass
class Room:
    """A core, by indexes that change all the time."""

    executor: ThreadPoolExecutor
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    published: Published = field(default_factory=Published)

    def __post_init__(self) -> None:
        self.outbox = PublishingOutbox(published=self.published)
        made = replace(parts(self.ledger, self.outbox, Notes()), valuers=self.published)
        self.core = Core(made, self.executor)

    async def credit(self, *records: Record) -> object:
        await self.core.assign([PARTITION], MemoryLog([event_record(10**6, "last")]))
        return await self.core.credit(Run(PARTITION, records))

    def named(self) -> list[tuple[str, str, str]]:
        """Index, settings and owner of each receipt."""
        said = [orjson.loads(each.value) for each in self.outbox.receipts]
        return [(each["index"], each["settings"], each["contributors"][0]["owner_id"]) for each in said]


async def test_a_run_has_the_index_that_there_was_when_it_began(executor: ThreadPoolExecutor) -> None:
    room = Room(executor)
    assert await room.credit(event_record(0, "a"), event_record(1, "b")) == Committed()
    assert await room.credit(event_record(2, "c")) == Committed()

    first, second = ("index 0", "settings 0", "o-0"), ("index 2", "settings 2", "o-2")
    assert room.named() == [first, first, second]
    assert room.ledger.totals == {"o-0": 2_000_000, "o-2": 1_000_000}
    assert room.published.asked == 2


async def test_all_pieces_of_a_run_have_one_index(executor: ThreadPoolExecutor) -> None:
    room = Room(executor)
    count = FIELDS_MAX + 10
    await room.credit(*(event_record(offset, f"e{offset}") for offset in range(count)))

    assert len(room.ledger.answers) == 2
    assert room.named() == [("index 0", "settings 0", "o-0")] * count
    assert room.published.asked == 1


async def test_a_commit_that_is_tried_again_has_the_index_of_the_first_try(executor: ThreadPoolExecutor) -> None:
    """Another worker has credited one of its events meanwhile."""
    room = Room(executor)
    known = event_record(0, "a")
    identity = JsonDecoder().decode(known).identity
    room.ledger.events[identity] = Known(1, 7, bytes(8))
    room.ledger.hidden.add(identity)
    assert await room.credit(known, event_record(1, "b")) == Committed()

    assert [type(answer) for answer in room.ledger.answers] == [Duplicate, Committed]
    assert set(room.named()) == {("index 0", "settings 0", "o-0")}
    assert room.ledger.totals == {"o-0": 1_000_000}
    assert room.published.asked == 1
