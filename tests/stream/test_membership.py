"""A group member: what it does when the ledger, the group or the topic moved under it. More in tests/simulator."""

import asyncio

import pytest

from gmv.errors import LedgerMissing, LedgerUnavailable, PositionOutsideLog
from gmv.ledger.position import Position
from tests.services.patience import patience

from .room import FIRST, SECOND, SESSION_SECONDS, Room
from .world import TOPIC_ID


async def test_reads_each_partition_to_its_end(room: Room) -> None:
    for _ in range(3):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert len(room.ledger.events) == 12


async def test_a_partition_that_was_added_waits_until_it_is_registered_and_the_others_go_on(room: Room) -> None:
    """Records are in it by then; it is seen with no rebalance between."""
    await room.member.revoke()
    del room.ledger.state[1]
    room.ledger.added = {1}
    await room.member.assign({FIRST, SECOND})
    for _ in range(3):
        await room.credit_next()
    assert room.ledger.state.keys() == {0}
    assert (room.ledger.state[0].next_offset, room.log.paused) == (6, {SECOND})
    await room.member.check_ledger()
    assert room.log.paused == {SECOND}

    room.ledger.added, room.ledger.state[1] = set(), Position(TOPIC_ID, 0)
    await room.member.check_ledger()
    for _ in range(3):
        await room.credit_next()
    assert (room.positions(), room.log.paused) == ([6, 6], set())
    assert len(room.ledger.events) == 12


async def test_a_partition_that_waits_is_not_forgotten_when_another_is_taken_back(room: Room) -> None:
    """The first was lost to another worker for a moment, and no rebalance came."""
    await room.member.revoke()
    del room.ledger.state[1]
    room.ledger.added = {1}
    await room.member.assign({FIRST, SECOND})
    room.ledger.state[0] = Position(TOPIC_ID, 2, -1, "another's")
    await room.credit_next()
    assert room.log.paused == {FIRST, SECOND}
    room.now += SESSION_SECONDS
    await room.member.assign_dropped()
    assert room.log.paused == {SECOND}

    room.ledger.added, room.ledger.state[1] = set(), Position(TOPIC_ID, 0)
    await room.member.check_ledger()
    for _ in range(3):
        await room.credit_next()
    assert (room.positions(), room.log.paused) == ([6, 6], set())


async def test_a_partition_that_lost_its_position_stops_the_worker(room: Room) -> None:
    await room.member.revoke()
    del room.ledger.state[1]
    with pytest.raises(LedgerMissing):
        await room.member.assign({FIRST, SECOND})


async def test_an_idle_partition_that_the_server_lost_a_tail_of_is_read_again(room: Room) -> None:
    for _ in range(3):
        await room.credit_next()
    room.rewind(0, 1)
    await room.credit_next()
    assert room.positions() == [1, 6], "nothing is new, so nothing is committed, and nothing is noticed"
    await room.member.check_ledger()
    for _ in range(3):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert len(room.ledger.events) == 12


async def test_what_was_fetched_before_the_ledger_was_looked_at_is_thrown_away(room: Room) -> None:
    await room.credit_next()
    room.rewind(0, 1)
    room.log.while_reading = room.member.check_ledger
    for _ in range(5):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert len(room.ledger.events) == 12


async def test_a_fenced_partition_is_dropped_and_taken_up_again_after_a_session(room: Room) -> None:
    room.ledger.state[0] = Position(TOPIC_ID, 4, -1, "another worker's")
    await room.credit_next()
    assert room.log.paused == {FIRST}
    assert room.positions() == [4, 2]
    await room.member.assign_dropped()
    assert room.log.paused == {FIRST}, "a rebalance may come yet"
    room.now = SESSION_SECONDS
    await room.member.assign_dropped()
    for _ in range(2):
        await room.credit_next()
    assert room.positions() == [6, 6]


async def test_what_was_fetched_before_a_dropped_partition_was_taken_up_is_thrown_away(room: Room) -> None:
    """All partitions are sought then, the one that lost a tail meanwhile too."""
    room.ledger.state[0] = Position(TOPIC_ID, 4, -1, "another worker's")
    await room.credit_next()
    room.now = SESSION_SECONDS
    room.rewind(1, 1)
    room.log.while_reading = room.member.assign_dropped
    for _ in range(5):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert sum(place.partition == 1 for place in room.ledger.events.values()) == 6


async def test_what_was_fetched_before_a_rebalance_is_thrown_away(room: Room) -> None:
    await room.credit_next()
    room.rewind(0, 1)
    room.log.while_reading = room.rebalance
    for _ in range(5):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert len(room.ledger.events) == 12


async def test_a_position_that_is_gone_from_the_log_ends_the_worker(room: Room) -> None:
    room.log.failure = PositionOutsideLog("gone")
    with pytest.raises(PositionOutsideLog):
        await room.credit_next()


async def test_an_offset_of_the_groups_that_is_gone_from_the_log_is_no_matter(room: Room) -> None:
    """After a rebalance, a client begins there until it is given an offset."""
    room.log.while_reading = room.rebalance
    room.log.failure = PositionOutsideLog("gone")
    for _ in range(4):
        await room.credit_next()
    assert room.positions() == [6, 6]


async def test_a_place_that_is_gone_is_no_matter_where_another_worker_is_ahead_of_it(room: Room) -> None:
    room.ledger.state[0] = Position(TOPIC_ID, 4, -1, "another worker's")
    room.log.failure = PositionOutsideLog("gone")
    for _ in range(4):
        await room.credit_next()
    assert room.positions() == [6, 6]
    assert sum(place.partition == 0 for place in room.ledger.events.values()) == 2


async def test_the_place_of_a_dropped_partition_may_be_gone(room: Room) -> None:
    room.ledger.state[0] = Position(TOPIC_ID, 4, -1, "another worker's")
    await room.credit_next()
    room.log.failure = PositionOutsideLog("gone")
    for _ in range(3):
        await room.credit_next()
    assert room.positions() == [4, 6]
    room.ledger.state[1] = Position(TOPIC_ID, 7, -1, "beyond the log's end")
    room.log.failure = PositionOutsideLog("gone")
    with pytest.raises(PositionOutsideLog, match="the log ends at 6"):
        await room.credit_next()


async def test_a_ledger_that_is_away_is_no_matter_while_nothing_is_to_be_committed(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(room.ledger, "positions", away)
        await room.member.check_ledger()
    await room.credit_next()
    assert room.positions() == [2, 2]


async def test_a_ledger_that_is_gone_stops_an_idle_worker(room: Room) -> None:
    room.ledger.state.clear()
    with pytest.raises(LedgerMissing):
        await room.member.check_ledger()


async def test_what_was_fetched_of_a_recreated_topic_is_not_credited(room: Room) -> None:
    await room.credit_next()
    room.log.id = "another"
    with pytest.raises(PositionOutsideLog, match="made again"):
        await room.credit_next()
    assert room.positions() == [2, 2]
    assert len(room.outbox.receipts) == 4, "nothing of it was published either"


async def test_a_stop_is_heeded_between_runs(room: Room) -> None:
    await room.member.read_next()
    for _ in (FIRST, SECOND):
        await room.member.credit_next(lambda: sum(room.positions()) > 0)
        await asyncio.wait_for(room.member.end(), patience(5))
    assert sorted(room.positions()) == [0, 2]
