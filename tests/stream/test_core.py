"""The worker core: each answer of a commit, and what is published, committed and counted."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from gmv.errors import CreditOutOfRange, LedgerMissing, PositionOutsideLog, Reason, TooManyDeadLetters
from gmv.ledger.port import FIELDS_MAX, Committed, Duplicate, Fenced, Known, OutOfRange, Rewound
from gmv.ledger.position import Position
from gmv.stream.core import Core
from gmv.stream.records import Record, Run
from gmv.valuation.receipt import batch_id, unseal

from .world import (
    PARTITION,
    START,
    TOPIC_ID,
    JsonDecoder,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
    poison_record,
)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Room:
    """A core with all its neighbours."""

    def __init__(
        self, executor: ThreadPoolExecutor, ledger: MemoryLedger | None = None, in_a_row_max: int = 100
    ) -> None:
        self.ledger = ledger or MemoryLedger()
        self.outbox = MemoryOutbox()
        self.notes = Notes()
        self.core = Core(parts(self.ledger, self.outbox, self.notes, in_a_row_max), executor)

    async def assign(self, records: list[Record], **log: object) -> None:
        await self.core.assign([PARTITION], MemoryLog(records, **log))  # type: ignore[arg-type]

    async def credit(self, *records: Record) -> object:
        return await self.core.credit(Run(PARTITION, records))


@pytest.fixture
async def room(executor: ThreadPoolExecutor) -> Room:
    room = Room(executor)
    await room.assign([event_record(9, "z")])
    return room


def identity(record: Record) -> bytes:
    return JsonDecoder().decode(record).identity


async def test_credits_dead_letters_and_duplicates_of_one_run(room: Room) -> None:
    again = event_record(3, "a")
    assert await room.credit(event_record(0, "a", ["ada", "bob"]), poison_record(1), event_record(2, "b"), again) == (
        Committed()
    )
    assert room.ledger.totals == {"ada": 1_500_000, "bob": 500_000}
    assert room.ledger.state[0].next_offset == 4
    (summary,) = room.notes.summaries
    assert (summary.records, summary.credited, summary.duplicates, summary.micros) == (4, 2, 1, 2_000_000)
    assert summary.dead_letters == {Reason.MALFORMED_JSON: 1}
    (dead_letter,) = room.outbox.dead_letters
    assert dead_letter.record == poison_record(1)


async def test_receipts_name_their_batch_and_the_position_confirms_them(room: Room) -> None:
    await room.credit(event_record(0, "a"), event_record(1, "b"))
    await room.credit(poison_record(2))
    await room.credit(event_record(3, "c"))
    published = [unseal(receipt.value) for receipt in room.outbox.receipts]
    first, second = published[:2], published[2:]
    assert room.ledger.state[0].batch_id == batch_id([receipt for _, _, receipt in second]) == second[0][0]
    assert second[0][2]["previous_batch"] == first[0][0] == batch_id([receipt for _, _, receipt in first])
    assert first[0][2]["previous_batch"] == ""
    assert [size for _, size, _ in published] == [2, 2, 1]


async def test_an_id_with_other_data_is_poison_within_a_run_and_across_runs(room: Room) -> None:
    await room.credit(event_record(0, "a", says=1), event_record(1, "a", says=2))
    await room.credit(event_record(2, "a", says=3), event_record(3, "a", says=1))
    assert [dead_letter.poison.reason for dead_letter in room.outbox.dead_letters] == [Reason.ID_CONFLICT] * 2
    assert [dead_letter.record.offset for dead_letter in room.outbox.dead_letters] == [1, 2]
    assert room.ledger.totals == {"ada": 1_000_000}


async def test_the_second_of_an_id_is_credited_where_the_first_was_poison(room: Room) -> None:
    """A duplicate is a duplicate of a credit, not of an attempt."""
    await room.credit(event_record(0, "a", owners=[]), event_record(1, "a"))
    assert room.ledger.totals == {"ada": 1_000_000}
    assert [dead_letter.record.offset for dead_letter in room.outbox.dead_letters] == [0]


async def test_records_below_the_position_are_not_credited_again(room: Room) -> None:
    await room.credit(event_record(0, "a"), event_record(1, "b"))
    await room.credit(event_record(0, "a"), event_record(1, "b"), event_record(2, "c"))
    assert room.ledger.totals == {"ada": 3_000_000}
    assert sum(summary.duplicates for summary in room.notes.summaries) == 0


async def test_an_event_credited_elsewhere_in_between_is_set_aside(room: Room) -> None:
    """The ledger did not know it when asked, and refuses it at the commit."""
    a, b = event_record(0, "a"), event_record(1, "b")
    room.ledger.events[identity(a)] = Known(5, 77, bytes(8))
    room.ledger.hidden.add(identity(a))
    assert await room.credit(a, b, poison_record(2)) == Committed()
    assert room.notes.refused == [Duplicate(frozenset([identity(a)]))]
    assert room.ledger.totals == {"ada": 1_000_000}
    assert room.notes.summaries[-1].duplicates == 1
    assert len(room.outbox.dead_letters) == 1, "the dead letter is not repeated with the second commit"


async def test_repeats_of_an_event_that_turns_out_to_be_in_conflict_are_dead_letters_too(room: Room) -> None:
    """Of an id that another partition credited with other data in between: none of them is credited, none is silent."""
    records = [event_record(offset, "a") for offset in range(3)]
    room.ledger.events[identity(records[0])] = Known(5, 77, bytes(7) + b"\x01")
    room.ledger.hidden.add(identity(records[0]))
    assert await room.credit(*records, event_record(3, "b")) == Committed()
    assert room.ledger.totals == {"ada": 1_000_000}
    assert [each.record.offset for each in room.outbox.dead_letters] == [0, 1, 2]
    assert room.notes.summaries[-1].duplicates == 0


async def test_so_are_those_that_a_later_commit_of_the_run_holds(room: Room) -> None:
    wide = [event_record(place, f"e{place}", [f"{place}-{owner}" for owner in range(100)]) for place in range(60)]
    again = Record(60, wide[0].value)
    room.ledger.events[identity(wide[0])] = Known(5, 77, bytes(7) + b"\x01")
    room.ledger.hidden.add(identity(wide[0]))
    assert await room.credit(*wide, again) == Committed()
    assert [type(answer) for answer in room.ledger.answers] == [Duplicate, Committed, Committed]
    assert [each.record.offset for each in room.outbox.dead_letters] == [0, 60]


async def test_a_fenced_run_credits_nothing_here(room: Room) -> None:
    ahead = Position(TOPIC_ID, 8, -1, "b")
    room.ledger.state[0] = ahead
    assert await room.credit(event_record(0, "a")) == Fenced(ahead)
    assert room.ledger.totals == {}
    assert room.notes.summaries == []


async def test_a_rewound_ledger_is_followed_back(room: Room) -> None:
    await room.credit(event_record(0, "a"))
    earlier = MemoryLedger()
    await room.credit(event_record(1, "b"))
    room.ledger.state, room.ledger.totals, room.ledger.events = earlier.state, {}, {}
    assert isinstance(await room.credit(event_record(2, "c")), Rewound)
    assert room.core.next_offset(PARTITION) == 0
    await room.credit(event_record(0, "a"), event_record(1, "b"), event_record(2, "c"))
    assert room.ledger.totals == {"ada": 3_000_000}


async def test_a_duplicate_of_an_event_that_the_server_lost_meanwhile_is_read_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = event_record(0, "a")
    room.ledger.events[identity(record)] = Known(1, 7, bytes(8))
    known = room.ledger.known

    def known_and_lost(partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        answer = known(partition, identities)
        room.ledger.events.clear()
        return answer

    monkeypatch.setattr(room.ledger, "known", known_and_lost)
    assert await room.credit(record) == Rewound(START)
    assert room.ledger.totals == {}
    assert await room.credit(record) == Committed()
    assert room.ledger.totals == {"ada": 1_000_000}


async def test_a_lost_position_stops_the_worker(room: Room) -> None:
    room.ledger.state.clear()
    with pytest.raises(LedgerMissing, match="nothing was written"):
        await room.credit(event_record(0, "a"))


async def test_a_total_out_of_range_stops_the_worker(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.ledger, "commit", lambda _batch: OutOfRange("o:ada"))
    with pytest.raises(CreditOutOfRange, match="o:ada"):
        await room.credit(event_record(0, "a"))


async def test_a_run_larger_than_one_commit_is_cut_into_several(room: Room) -> None:
    """60 events of 100 owners each, all different, are 6,060 fields; one commit takes 3,900."""
    wide = [event_record(place, f"e{place}", [f"{place}-{owner}" for owner in range(100)]) for place in range(60)]
    assert await room.credit(*wide) == Committed()
    assert [type(answer) for answer in room.ledger.answers] == [Committed] * 2
    assert sum(room.ledger.totals.values()) == 60_000_000
    assert max(summary.owners + summary.credited + 5 for summary in room.notes.summaries) <= FIELDS_MAX


async def test_too_many_dead_letters_stop_before_anything_is_published(executor: ThreadPoolExecutor) -> None:
    room = Room(executor, in_a_row_max=3)
    await room.assign([poison_record(9)])
    await room.credit(*(poison_record(offset) for offset in range(3)))
    with pytest.raises(TooManyDeadLetters, match="3 records in a row are poison, the last for malformed_json: "):
        await room.credit(poison_record(3))
    assert len(room.outbox.dead_letters) == 3
    assert room.ledger.state[0].next_offset == 3


@pytest.mark.parametrize(
    ("position", "log", "complaint"),
    [
        (Position("topic-0", 0), {}, "deleted and made again"),
        (Position(TOPIC_ID, 4), {"start": 6}, "2 records were lost to retention"),
        (Position(TOPIC_ID, 11), {}, "cut or replaced"),
    ],
)
async def test_a_position_outside_the_log_is_refused(
    executor: ThreadPoolExecutor, position: Position, log: dict[str, int], complaint: str
) -> None:
    room = Room(executor, MemoryLedger({0: position}))
    with pytest.raises(PositionOutsideLog, match=complaint):
        await room.assign([event_record(9, "z")], **log)


async def test_a_partition_without_position_is_refused(executor: ThreadPoolExecutor) -> None:
    room = Room(executor, MemoryLedger({}))
    with pytest.raises(LedgerMissing):
        await room.assign([event_record(9, "z")])


async def test_taking_up_nothing_forgets_everything(room: Room) -> None:
    await room.core.assign([], MemoryLog([]))
    assert room.notes.taken[-1] == {}
    with pytest.raises(KeyError):
        room.core.next_offset(PARTITION)
