"""Which dead letters are sent once more, and how fast."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gmv.ledger.port import Known
from gmv.operations.redriving import Credited, HeldBack, Reach, RedrivePlan, Sending, plan, selected, send
from gmv.stream.dead_letters import FoundDeadLetter, Wanted

from .dead_letters import TOPIC, letter


def planned(
    letters: Sequence[FoundDeadLetter],
    wanted: Wanted | None = None,
    insist: bool = False,
    credited: Credited | None = None,
    reach: Reach | None = None,
) -> RedrivePlan:
    return plan(letters, wanted or Wanted(), TOPIC, range(2), insist, credited, reach)


def sent_of(letters: Sequence[FoundDeadLetter], **options: object) -> list[FoundDeadLetter]:
    return list(selected(letters, planned(letters, **options).chosen))  # type: ignore[arg-type]


def test_what_a_crash_repeated_is_sent_once() -> None:
    letters = [letter(1, "a"), letter(2, "b"), letter(1, "a"), letter(2, "b")]
    assert [each.record.offset for each in sent_of(letters)] == [1, 2]


def test_of_a_record_that_came_back_only_the_newest_is_sent() -> None:
    """However often it was tried: trying again must not double the letters each time."""
    letters = [
        letter(9, "a", replayed_from=("images/0/1", "images/0/5")),
        letter(1, "a"),
        letter(5, "a", replayed_from=("images/0/1",)),
        letter(6, "a", replayed_from=("images/0/1",)),
        letter(2, "b"),
    ]
    assert [each.record.offset for each in sent_of(letters)] == [9, 2]


def test_an_older_letter_is_not_sent_for_the_reason_it_had() -> None:
    """It came back with another reason since, which is the one that holds."""
    letters = [letter(1, reason="image_unreachable"), letter(8, reason="image_corrupt", replayed_from=("images/0/1",))]
    assert sent_of(letters, wanted=Wanted(frozenset({"image_unreachable"}))) == []
    assert sent_of(letters, wanted=Wanted(frozenset({"image_corrupt"}))) == [letters[1]]


DOUBTFUL = {
    HeldBack.NO_EVENT: letter(1, value=b"{broken", reason="malformed_json"),
    HeldBack.ID_CONFLICT: letter(2, reason="id_conflict"),
    HeldBack.KILLED_WORKER: letter(5, reason="killed_worker"),
}
UNSENDABLE = {
    HeldBack.EMPTY: letter(3, value=None, key=None, reason="invalid_event"),
    HeldBack.OTHER_LOG: letter(4, topic="other"),
}


@pytest.mark.parametrize("why", [*DOUBTFUL, *UNSENDABLE])
def test_what_would_not_be_credited_is_held_back_unless_a_person_insists(why: HeldBack) -> None:
    held = (DOUBTFUL | UNSENDABLE)[why]
    assert planned([held]) == RedrivePlan({}, planned([held]).held_back)
    assert planned([held]).held_back == {why: 1}
    insisted = planned([held], insist=True)
    assert (len(insisted.chosen), insisted.held_back) == ((1, {}) if why in DOUBTFUL else (0, {why: 1}))


def test_a_partition_that_the_topic_lacks_is_another_log() -> None:
    assert planned([letter(partition=2)]).held_back == {HeldBack.OTHER_LOG: 1}


def test_a_record_that_this_version_can_read_is_sent_whatever_it_was_refused_for() -> None:
    """An older gmv did not understand it; now it has an id, so it is credited once."""
    assert len(sent_of([letter(reason="invalid_event"), letter(name="b", reason="a reason of another version")])) == 2


def test_the_ledger_tells_what_was_credited_since_and_under_which_data() -> None:
    same, other, not_yet, unreadable = (
        letter(1, "a"),
        letter(2, "b", partition=1),
        letter(3, "c"),
        letter(4, value=b"{"),
    )
    events = {each.place: each.event() for each in (same, other)}
    asked: list[tuple[int, int]] = []

    def credited(partition: int, identities: Sequence[bytes]) -> Mapping[bytes, Known]:
        asked.append((partition, len(identities)))
        known = {}
        for place, event in events.items():
            if event is not None and event.identity in identities:
                known[event.identity] = Known(partition, 9, event.payload if place == same.place else bytes(8))
        return known

    made = planned([same, other, not_yet, unreadable], credited=credited)
    assert sorted(asked) == [(0, 2), (1, 1)]
    assert [candidate.place for candidate in made.chosen.values()] == [not_yet.place]
    assert made.held_back == {HeldBack.CREDITED: 1, HeldBack.ID_CONFLICT: 1, HeldBack.NO_EVENT: 1}


def test_reasons_of_what_is_chosen_are_counted() -> None:
    letters = [letter(1, "a"), letter(2, "b"), letter(3, "c", "image_corrupt")]
    assert planned(letters).by_reason == {"image_unreachable": 2, "image_corrupt": 1}


class Ends:
    """Where the partitions of a log end, and a clock; both as a test sets them."""

    def __init__(self, *ends: int) -> None:
        self.ends = dict(enumerate(ends))
        self.now = 0.0
        self.seconds_to_tell = 0.0
        self.asked = 0

    def tell(self) -> Mapping[int, int]:
        self.asked += 1
        self.now += self.seconds_to_tell
        return dict(self.ends)

    def reach(self, window: int) -> Reach:
        return Reach(window, self.tell, lambda: self.now)


WINDOW = 100


def test_what_a_ledger_with_a_window_may_have_let_go_is_held_back_unless_a_person_insists() -> None:
    """A letter of offset x that was sent again was credited at x + 1 at the earliest; what is sent now comes at the
    partition's end, and the ledger tells the two by no more than a window.
    """
    ends = Ends(1_000, 500)
    near, far, other, back = (
        letter(900, "a"),
        letter(899, "b"),
        letter(499, "c", partition=1),
        letter(950, "d", replayed_from=("images/0/3",)),
    )
    letters = [near, far, other, letter(3, "d"), back]
    made = planned(letters, reach=ends.reach(WINDOW))
    assert [each.place for each in made.chosen.values()] == [near.place, other.place, back.place]
    assert made.held_back == {HeldBack.BEYOND_WINDOW: 1}
    assert ends.asked == 1
    insisted = planned(letters, insist=True, reach=ends.reach(WINDOW))
    assert (len(insisted.chosen), insisted.held_back) == (4, {})


def test_another_reason_to_hold_a_letter_back_goes_before_the_window() -> None:
    reach = Ends(1_000, 1_000).reach(WINDOW)
    known = letter(1, "known")
    event = known.event()
    assert event is not None
    elsewhere = letter(2, "x", partition=7)

    def credited(_: int, identities: Sequence[bytes]) -> Mapping[bytes, Known]:
        return {event.identity: Known(0, 990, event.payload)} if event.identity in identities else {}

    held = planned([known, elsewhere, letter(3, value=b"{")], credited=credited, reach=reach).held_back
    assert held == {HeldBack.CREDITED: 1, HeldBack.OTHER_LOG: 1, HeldBack.NO_EVENT: 1}


def test_a_log_that_is_slow_to_tell_its_ends_is_asked_half_of_the_time() -> None:
    ends = Ends(1_000)
    ends.seconds_to_tell = 10.0
    reach = ends.reach(WINDOW)
    for now, asked in ((0.0, 1), (19.0, 1), (20.0, 2)):
        ends.now = max(now, ends.now)
        reach.covers(0, 950)
        assert ends.asked == asked


class Clock(asyncio.SelectorEventLoop):
    """A loop whose sleeps take no time, and whose clock says that they did."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback, *args, context=None):  # type: ignore[override]
        self.now = max(self.now, when)
        return super().call_at(when, callback, *args, context=context)


class Counted:
    def __init__(self, loop: Clock) -> None:
        self.loop = loop
        self.sent: list[tuple[float, str]] = []
        self.finished = 0

    async def send(self, letter: FoundDeadLetter) -> None:
        self.sent.append((self.loop.now, letter.place))

    async def finish(self) -> None:
        self.finished = len(self.sent)


@pytest.mark.parametrize("per_second", [0.5, 4.0, 1_000.0])
def test_no_more_are_sent_than_the_rate_allows(per_second: float) -> None:
    letters = [letter(offset, f"e{offset}") for offset in range(20)]
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)
        destination, steps = Counted(loop), list[int]()
        assert runner.run(send(letters, destination, per_second, steps.append, None)) == Sending(20, 0)
    assert [place for _, place in destination.sent] == [each.place for each in letters]
    assert [moment for moment, _ in destination.sent] == pytest.approx([n / per_second for n in range(20)])
    assert (destination.finished, sum(steps)) == (20, 20)


def test_what_goes_out_of_reach_while_others_are_sent_is_left_out() -> None:
    """Two a second, of a partition that grows by ten a second: judged when a letter is due, not when it is read."""
    letters = [letter(offset, f"e{offset}") for offset in (905, 901, 906, 930, 909)]
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)
        reach = Reach(WINDOW, lambda: {0: 1_000 + round(10 * loop.now)}, lambda: loop.now)
        destination, steps = Counted(loop), list[int]()
        assert runner.run(send(letters, destination, 2.0, steps.append, reach)) == Sending(3, 2)
    assert [(moment, place) for moment, place in destination.sent] == [
        (0.0, "images/0/905"),
        (0.5, "images/0/901"),  # by the end of half a second before, 1,000
        (1.0, "images/0/930"),  # by 1,010, as those before and after it, which stay
    ]
    assert sum(steps) == 3
