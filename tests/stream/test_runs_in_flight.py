"""Runs of several partitions are in flight side by side, those of one never; nothing begins beyond a position."""

import asyncio

import pytest

from gmv.errors import LogUnavailable
from gmv.ledger.position import Position
from gmv.stream.records import Partition, Run
from gmv.stream.waiting import WaitingRuns

from .room import FIRST, RUN_RECORDS_MAX, SECOND, Room
from .world import TOPIC_ID, event_record

SHORT_SECONDS = 0.05


def run(partition: Partition, first: int, count: int, end: int | None = None) -> Run:
    offsets = range(first, first + count)
    return Run(partition, tuple(event_record(offset, f"{partition}-{offset}") for offset in offsets), end)


async def begin_all(room: Room) -> None:
    for _ in range(10):
        await room.begin()


async def until_moved(room: Room, partition: int, next_offset: int) -> None:
    while room.ledger.state[partition].next_offset != next_offset:  # noqa: ASYNC110 - a ledger tells nobody
        await asyncio.sleep(0.001)


async def test_while_one_partition_is_published_another_is_attributed_and_committed(room: Room) -> None:
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await until_moved(room, 1, 2)
    assert room.positions() == [0, 2]
    room.outbox.release(FIRST)
    await until_moved(room, 0, 2)


async def test_no_second_run_of_a_partition_is_begun_before_the_first_is_committed(room: Room) -> None:
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await until_moved(room, 1, 2)
    await room.member.read_next()
    for _ in range(3):
        await room.begin()
    await until_moved(room, 1, 4)
    assert room.outbox.asked.count(FIRST) == 1
    room.outbox.release(FIRST)
    await until_moved(room, 0, 2)
    await room.begin()
    await until_moved(room, 0, 4)


async def test_what_was_read_meanwhile_becomes_one_run(room: Room) -> None:
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await until_moved(room, 1, 2)
    room.log.paused = {SECOND}
    await room.member.read_next()
    await room.member.read_next()
    room.outbox.release(FIRST)
    await until_moved(room, 0, 2)
    await room.begin()
    await until_moved(room, 0, 6)
    assert room.outbox.asked.count(FIRST) == 2


async def test_a_rebalance_waits_for_all_runs_in_flight(room: Room) -> None:
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    revoking = asyncio.create_task(room.member.revoke())
    await asyncio.sleep(SHORT_SECONDS)
    assert not revoking.done()
    room.outbox.release(FIRST)
    await revoking
    assert room.positions() == [2, 0], "what was not begun is the next owner's"


async def test_after_a_run_that_failed_none_is_begun(room: Room) -> None:
    """What waits of its partition would begin beyond the position, and be credited with a gap before it."""
    room.outbox.broken = {FIRST}
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await until_moved(room, 1, 2)
    room.log.paused = {SECOND}
    await room.member.read_next()
    room.outbox.release(FIRST)
    for _ in range(2):
        with pytest.raises(LogUnavailable, match="broken"):
            await begin_all(room)
        room.outbox.broken = set()
    await room.member.end()
    assert room.positions() == [0, 2]


async def test_what_waits_of_a_partition_whose_tail_was_lost_is_thrown_away(room: Room) -> None:
    await room.credit_next()
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await until_moved(room, 1, 4)
    room.log.paused = {SECOND}
    await room.member.read_next()
    room.rewind(0, 1)
    room.outbox.release(FIRST)
    await room.member.end()
    await room.begin()
    await room.member.end()
    assert room.positions()[0] == 1, "4 to 6 waited, and are beyond the position"
    room.log.paused = set()
    for _ in range(3):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert len(room.ledger.events) == 12


async def test_what_waits_of_a_partition_that_is_another_workers_is_thrown_away(room: Room) -> None:
    room.outbox.hold(FIRST)
    await room.member.read_next()
    await room.begin()
    await room.member.read_next()
    room.ledger.state[0] = Position(TOPIC_ID, 4, -1, "another worker's")
    room.outbox.release(FIRST)
    await room.member.end()
    for _ in range(3):
        await room.begin()
    await room.member.end()
    assert room.positions() == [4, 4]
    assert room.log.paused == {FIRST}


async def test_no_more_is_read_than_a_run_may_hold_while_nothing_is_credited(room: Room) -> None:
    await room.member.read_next()
    reading = asyncio.create_task(room.member.read_next())
    await asyncio.sleep(SHORT_SECONDS)
    assert not reading.done()
    await room.begin()
    await reading


async def test_brokers_that_take_no_receipts_do_not_fill_the_worker(room: Room) -> None:
    """One run of the largest size is in flight beside another; more would be with 60 partitions."""
    room.outbox.hold(FIRST)
    room.log.records[FIRST] = list(run(FIRST, 0, RUN_RECORDS_MAX + 1).records)
    room.log.fetch_records = RUN_RECORDS_MAX + 1
    await room.member.read_next()
    await room.begin()
    await room.begin()
    await asyncio.sleep(SHORT_SECONDS)
    assert room.outbox.asked == [FIRST]
    room.outbox.release(FIRST)
    await room.member.end()
    await room.begin()
    await room.member.end()
    assert room.outbox.asked == [FIRST, SECOND]


class TestWaitingRuns:
    def test_partitions_take_turns_by_their_oldest_run(self) -> None:
        waiting = WaitingRuns(4)
        for each in (run(SECOND, 0, 1), run(FIRST, 0, 1), run(SECOND, 1, 1)):
            waiting.add(each)
        assert waiting.take(()) == run(SECOND, 0, 2, end=2)
        assert waiting.take(()) == run(FIRST, 0, 1, end=1)
        assert waiting.take(()) is None

    def test_those_that_are_not_wanted_keep_their_place(self) -> None:
        waiting = WaitingRuns(4)
        waiting.add(run(FIRST, 0, 1))
        assert waiting.take({FIRST}) is None
        waiting.add(run(SECOND, 0, 1))
        assert waiting.take({FIRST}) == run(SECOND, 0, 1, end=1)
        assert waiting.take(()) == run(FIRST, 0, 1, end=1)

    @pytest.mark.parametrize("sizes", [(4, 1), (3, 2), (1, 3, 1), (2, 2, 2), (0, 4, 0, 1), (0, 0)])
    def test_whole_runs_are_joined_up_to_the_largest_size_and_nothing_is_lost(self, sizes: tuple[int, ...]) -> None:
        waiting = WaitingRuns(4)
        first = 0
        for size in sizes:
            waiting.add(run(FIRST, first, size, end=first + size))
            first += size
        taken = []
        while (each := waiting.take(())) is not None:
            taken.append(each)
        assert all(len(each.records) <= 4 for each in taken)
        assert [record.offset for each in taken for record in each.records] == list(range(sum(sizes)))
        assert taken[-1].next_offset == sum(sizes)
        assert not waiting.are_enough

    def test_marks_of_transactions_move_the_end(self) -> None:
        waiting = WaitingRuns(4)
        waiting.add(run(FIRST, 0, 2, end=2))
        waiting.add(Run(FIRST, (), 5))
        assert waiting.take(()) == run(FIRST, 0, 2, end=5)

    def test_what_is_dropped_makes_room(self) -> None:
        waiting = WaitingRuns(4)
        waiting.add(run(FIRST, 0, 3))
        waiting.add(run(SECOND, 0, 1))
        was_full = waiting.are_enough
        waiting.drop(FIRST)
        assert (was_full, waiting.are_enough) == (True, False)
        waiting.add(run(FIRST, 0, 3))
        waiting.clear()
        assert waiting.take(()) is None
