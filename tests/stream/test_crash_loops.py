"""Which records are held to end workers, while other things end them too, and that healthy ones are not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmv.errors import LedgerUnavailable, Reason, TooManyDeadLetters
from gmv.stream.crash_loops import CAREFUL_OFFSETS, CONDEMNED_IN_A_ROW_MAX, CrashLoops, Note
from gmv.stream.outcomes import AlreadyCredited, Outcome, Poisoned
from gmv.stream.records import Record

from .world import CRASHES_PER_RECORD_MAX, PARTITION, Crash, JsonDecoder, MemoryLedger, event_record


class OutsideKill(Crash):
    """Somebody else ends the process."""


@dataclass
class Line:
    """A log of records, some of which end their worker, and workers that are started until all is done."""

    size: int
    killers: frozenset[int] = frozenset()
    run_records: int = 5
    kills: list[int] = field(default_factory=list)
    """Attributions after which the process is killed from outside, counted from the last kill on."""

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger()
        self.position = 0
        self.crashes = 0
        self.attributions: list[tuple[int, ...]] = []
        self.killed_alone: Counter[int] = Counter()
        self.condemned: list[int] = []
        self.credited: list[int] = []
        self._left = self.kills.pop() if self.kills else None

    def run(self, crashes_max: int = 10_000) -> None:
        """Start workers one after the other until the log is done; the newest may stop by itself."""
        while self.position < self.size:
            try:
                self.work()
            except Crash:
                self.crashes += 1
                assert self.crashes < crashes_max, "no progress"

    def work(self) -> None:
        loops = CrashLoops(self.ledger, CRASHES_PER_RECORD_MAX)
        while self.position < self.size:
            end = min(self.position + self.run_records, self.size)
            records = [event_record(offset, f"e{offset}") for offset in range(self.position, end)]
            self.commit(loops.attribute(PARTITION, records, self.attribute))

    def commit(self, outcomes: Sequence[Outcome]) -> None:
        assert [outcome.record.offset for outcome in outcomes] == list(
            range(self.position, self.position + len(outcomes))
        )
        for outcome in outcomes:
            where = self.condemned if isinstance(outcome, Poisoned) else self.credited
            where.append(outcome.record.offset)
        self.position += len(outcomes)

    def attribute(self, records: Sequence[Record]) -> list[Outcome]:
        offsets = tuple(record.offset for record in records)
        self.attributions.append(offsets)
        if self.killers.intersection(offsets):
            raise Crash
        if self._left is not None:
            if self._left == 0:
                self._left = self.kills.pop() if self.kills else None
                self.killed_alone.update(offsets if len(offsets) == 1 else ())
                raise OutsideKill
            self._left -= 1
        decoder = JsonDecoder()
        for offset in offsets:
            if offset not in self.killers:
                self.killed_alone.pop(offset, None)
        return [AlreadyCredited(record, decoder.decode(record), bytes(8)) for record in records]


def test_nothing_is_noted_after_the_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(100)
    taken: list[str] = []
    monkeypatch.setattr(line.ledger, "take_note", lambda _topic, _number, _expected, text: not taken.append(text))
    line.run()
    assert len(taken) == 1
    assert len(line.attributions) == 20


@pytest.mark.parametrize("killer", [0, 3, 4, 5, 12, 19])
def test_a_record_that_ends_workers_is_found_and_the_others_are_credited(killer: int) -> None:
    line = Line(20, frozenset({killer}))
    line.run()
    assert line.condemned == [killer]
    assert line.credited == [offset for offset in range(20) if offset != killer]
    alone = line.attributions.count((killer,))
    assert alone == CRASHES_PER_RECORD_MAX
    assert line.crashes <= alone + 2, "one unawares, one in the first run of the next"


def test_it_is_not_attributed_again_where_its_dead_letter_was_not_committed() -> None:
    """The worker ends between finding it and the commit of the run that it is in, again and again."""
    line = Line(5, frozenset({1}), kills=[])
    line.run()
    before = len(line.attributions)
    line.position, line.condemned, line.credited = 0, [], []
    line.run()
    assert (line.condemned, line.credited) == ([1], [0, 2, 3, 4])
    assert (1,) not in line.attributions[before:]


def test_after_a_careful_range_runs_are_whole_again() -> None:
    line = Line(CAREFUL_OFFSETS + 30, frozenset({0}), run_records=10)
    line.run()
    assert line.attributions[-2:] == [
        tuple(range(CAREFUL_OFFSETS + 10, CAREFUL_OFFSETS + 20)),
        tuple(range(CAREFUL_OFFSETS + 20, CAREFUL_OFFSETS + 30)),
    ]
    assert len(line.credited) == CAREFUL_OFFSETS + 29


@settings(max_examples=300)
@given(st.sets(st.integers(0, 29), max_size=8), st.integers(1, 7), st.lists(st.integers(0, 12), max_size=20))
def test_only_those_are_condemned_that_ended_workers_alone(killers: set[int], size: int, kills: list[int]) -> None:
    """A healthy one only where it was alone in so many workers that were killed in a row."""
    killers -= {offset for offset in killers if offset % 4 == 3}  # never more in a row than may be condemned
    line = Line(30, frozenset(killers), size, kills)
    line.run()
    assert killers <= set(line.condemned)
    assert sorted(line.condemned + line.credited) == list(range(30))
    for offset in set(line.condemned) - killers:
        assert line.killed_alone[offset] >= CRASHES_PER_RECORD_MAX


def test_many_in_a_row_stop_the_worker_each_time_it_was_tried_again() -> None:
    line = Line(20, frozenset(range(7, 20)))
    with pytest.raises(TooManyDeadLetters, match=rf"last {CONDEMNED_IN_A_ROW_MAX + 1} records up to 10 has ended 3"):
        line.run()
    assert line.position == 10, "the run that begins with the fourth was not committed"
    attempts = line.attributions.count((10,))
    with pytest.raises(TooManyDeadLetters):
        line.run()
    assert line.attributions.count((10,)) == attempts + CRASHES_PER_RECORD_MAX, "it was tried again before"
    line.killers = frozenset()  # the fault is fixed
    line.run()
    assert line.condemned == [7, 8, 9]
    assert line.credited == [*range(7), *range(10, 20)]


def test_several_that_are_not_in_a_row_are_all_found() -> None:
    killers = frozenset({0, 1, 2, 4, 6, 8, 9, 13, 14, 15, 19})
    line = Line(20, killers, run_records=20)
    line.run()
    assert set(line.condemned) == killers
    assert line.crashes <= 1 + CRASHES_PER_RECORD_MAX * len(killers)


def test_a_server_that_is_away_is_no_fault_of_the_record() -> None:
    line = Line(5, kills=[0])
    with pytest.raises(OutsideKill):
        line.work()
    for _ in range(2 * CRASHES_PER_RECORD_MAX):
        loops = CrashLoops(line.ledger, CRASHES_PER_RECORD_MAX)
        with pytest.raises(LedgerUnavailable):
            loops.attribute(PARTITION, [event_record(0, "e0")], away)
    line.run()
    assert line.credited == list(range(5))


def away(_records: Sequence[Record]) -> list[Outcome]:
    raise LedgerUnavailable("away")


def test_who_was_taken_over_leaves_the_notes_alone() -> None:
    line = Line(5, frozenset({2}))
    with pytest.raises(Crash):
        line.work()
    zombie = CrashLoops(line.ledger, CRASHES_PER_RECORD_MAX)
    records = [event_record(offset, f"e{offset}") for offset in range(2)]
    zombie.attribute(PARTITION, records, line.attribute)
    CrashLoops(line.ledger, CRASHES_PER_RECORD_MAX).attribute(PARTITION, records, line.attribute)
    heirs = line.ledger.note(PARTITION.topic, PARTITION.number)
    zombie.attribute(PARTITION, records, line.attribute)
    assert line.ledger.note(PARTITION.topic, PARTITION.number) == heirs


def test_a_partition_taken_up_again_is_begun_again() -> None:
    line = Line(5)
    loops = CrashLoops(line.ledger, CRASHES_PER_RECORD_MAX)
    records = [event_record(offset, f"e{offset}") for offset in range(5)]
    loops.attribute(PARTITION, records, line.attribute)
    loops.forget()
    loops.attribute(PARTITION, records, line.attribute)
    assert line.attributions == [(0, 1, 2, 3, 4), (0,), (1,), (2,), (3,), (4,)]


def test_a_poisoned_dead_letter_says_why() -> None:
    line = Line(3, frozenset({1}))
    found: list[Poisoned] = []
    commit = line.commit

    def watching(outcomes: Sequence[Outcome]) -> None:
        found.extend(outcome for outcome in outcomes if isinstance(outcome, Poisoned))
        commit(outcomes)

    line.commit = watching  # type: ignore[method-assign]
    line.run()
    assert [outcome.poison.reason for outcome in found] == [Reason.KILLED_WORKER]
    assert "ended 3 times" in found[0].poison.detail


@given(
    st.builds(
        Note,
        st.text(max_size=5),
        st.integers(-1, 99),
        st.none() | st.integers(0, 99),
        st.none() | st.integers(0, 99),
        st.integers(0, 9),
        st.lists(st.integers(0, 99), max_size=3).map(tuple),
        st.integers(-1, 99),
    )
)
def test_a_note_is_read_back(note: Note) -> None:
    assert Note.decode(note.encode()) == note
    assert Note.decode(replace(note, writer="another").encode()) != note or note.writer == "another"


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"unknown": 1}', '{"condemned": 7}', "null"])
def test_a_text_that_is_no_note_says_nothing(text: str | None) -> None:
    assert Note.decode(text) == Note()
