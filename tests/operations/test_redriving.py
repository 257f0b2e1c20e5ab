"""Which dead letters are sent once more, and how fast."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gmv.ledger.port import Known
from gmv.operations.redriving import Credited, HeldBack, Reach, RedrivePlan, Sending, plan, selected, send
from gmv.stream.dead_letters import FoundDeadLetter, Wanted

from .dead_letters import TOPIC, dead_letter


def planned(
    dead_letters: Sequence[FoundDeadLetter],
    wanted: Wanted | None = None,
    insist: bool = False,
    credited: Credited | None = None,
    reach: Reach | None = None,
) -> RedrivePlan:
    return plan(dead_letters, wanted or Wanted(), TOPIC, range(2), insist, credited, reach)


def sent_of(dead_letters: Sequence[FoundDeadLetter], **options: object) -> list[FoundDeadLetter]:
    return list(selected(dead_letters, planned(dead_letters, **options).chosen))  # type: ignore[arg-type]


def test_what_a_crash_repeated_is_sent_once() -> None:
    dead_letters = [dead_letter(1, "a"), dead_letter(2, "b"), dead_letter(1, "a"), dead_letter(2, "b")]
    assert [each.record.offset for each in sent_of(dead_letters)] == [1, 2]


def test_of_a_record_that_came_back_only_the_newest_is_sent() -> None:
    """However often it was tried: trying again must not double the dead letters each time."""
    dead_letters = [
        dead_letter(9, "a", replayed_from=("images/0/1", "images/0/5")),
        dead_letter(1, "a"),
        dead_letter(5, "a", replayed_from=("images/0/1",)),
        dead_letter(6, "a", replayed_from=("images/0/1",)),
        dead_letter(2, "b"),
    ]
    assert [each.record.offset for each in sent_of(dead_letters)] == [9, 2]


def test_an_older_dead_letter_is_not_sent_for_the_reason_it_had() -> None:
    """It came back with another reason since, which is the one that holds."""
    dead_letters = [
        dead_letter(1, reason="image_unreachable"),
        dead_letter(8, reason="image_corrupt", replayed_from=("images/0/1",)),
    ]
    assert sent_of(dead_letters, wanted=Wanted(frozenset({"image_unreachable"}))) == []
    assert sent_of(dead_letters, wanted=Wanted(frozenset({"image_corrupt"}))) == [dead_letters[1]]


IF_INSISTED = {
    HeldBack.NO_EVENT: dead_letter(1, value=b"{broken", reason="malformed_json"),
    HeldBack.ID_CONFLICT: dead_letter(2, reason="id_conflict"),
    HeldBack.KILLED_WORKER: dead_letter(5, reason="killed_worker"),
}
UNSENDABLE = {
    HeldBack.EMPTY: dead_letter(3, value=None, key=None, reason="invalid_event"),
    HeldBack.OTHER_LOG: dead_letter(4, topic="other"),
}


@pytest.mark.parametrize("why", [*IF_INSISTED, *UNSENDABLE])
def test_what_would_not_be_credited_is_held_back_unless_a_person_insists(why: HeldBack) -> None:
    held = (IF_INSISTED | UNSENDABLE)[why]
    assert planned([held]) == RedrivePlan({}, planned([held]).held_back)
    assert planned([held]).held_back == {why: 1}
    insisted = planned([held], insist=True)
    assert (len(insisted.chosen), insisted.held_back) == ((1, {}) if why in IF_INSISTED else (0, {why: 1}))


def test_a_partition_that_the_topic_lacks_is_another_log() -> None:
    assert planned([dead_letter(partition=2)]).held_back == {HeldBack.OTHER_LOG: 1}


def test_a_record_that_this_version_can_read_is_sent_whatever_it_was_refused_for() -> None:
    """An older gmv did not understand it; now it has an id, so it is credited once."""
    assert (
        len(sent_of([dead_letter(reason="invalid_event"), dead_letter(name="b", reason="a reason of another version")]))
        == 2
    )


def test_the_ledger_tells_what_was_credited_since_and_under_which_data() -> None:
    same, other, not_yet, unreadable = (
        dead_letter(1, "a"),
        dead_letter(2, "b", partition=1),
        dead_letter(3, "c"),
        dead_letter(4, value=b"{"),
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
    dead_letters = [dead_letter(1, "a"), dead_letter(2, "b"), dead_letter(3, "c", "image_corrupt")]
    assert planned(dead_letters).by_reason == {"image_unreachable": 2, "image_corrupt": 1}


class Ends:
    """Where the partitions of a log end, and a clock; both as a test sets them."""

    def __init__(self, *ends: int) -> None:
        self.ends = dict(enumerate(ends))
        self.now = 0.0
        self.seconds_to_tell = 0.0
        self.asked = 0

    def ask(self) -> Mapping[int, int]:
        self.asked += 1
        self.now += self.seconds_to_tell
        return dict(self.ends)

    def reach(self, window: int) -> Reach:
        return Reach(window, self.ask, lambda: self.now)


WINDOW = 100


def test_what_a_ledger_with_a_window_may_have_let_go_is_held_back_unless_a_person_insists() -> None:
    """A dead letter of offset x that was sent again was credited at x + 1 at the earliest; what is sent now comes at
    the partition's end, and the ledger recognises it as the same within a window only.
    """
    ends = Ends(1_000, 500)
    near, far, other, back = (
        dead_letter(900, "a"),
        dead_letter(899, "b"),
        dead_letter(499, "c", partition=1),
        dead_letter(950, "d", replayed_from=("images/0/3",)),
    )
    dead_letters = [near, far, other, dead_letter(3, "d"), back]
    made = planned(dead_letters, reach=ends.reach(WINDOW))
    assert [each.place for each in made.chosen.values()] == [near.place, other.place, back.place]
    assert made.held_back == {HeldBack.BEYOND_WINDOW: 1}
    assert ends.asked == 1
    insisted = planned(dead_letters, insist=True, reach=ends.reach(WINDOW))
    assert (len(insisted.chosen), insisted.held_back) == (4, {})


def test_another_reason_to_hold_a_dead_letter_back_goes_before_the_window() -> None:
    reach = Ends(1_000, 1_000).reach(WINDOW)
    known = dead_letter(1, "known")
    event = known.event()
    assert event is not None
    elsewhere = dead_letter(2, "x", partition=7)

    def credited(_: int, identities: Sequence[bytes]) -> Mapping[bytes, Known]:
        return {event.identity: Known(0, 990, event.payload)} if event.identity in identities else {}

    held = planned([known, elsewhere, dead_letter(3, value=b"{")], credited=credited, reach=reach).held_back
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

    async def send(self, dead_letter: FoundDeadLetter) -> None:
        self.sent.append((self.loop.now, dead_letter.place))

    async def finish(self) -> None:
        self.finished = len(self.sent)


@pytest.mark.parametrize("per_second", [0.5, 4.0, 1_000.0])
def test_no_more_are_sent_than_the_rate_allows(per_second: float) -> None:
    dead_letters = [dead_letter(offset, f"e{offset}") for offset in range(20)]
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)
        destination, steps = Counted(loop), list[int]()
        assert runner.run(send(dead_letters, destination, per_second, steps.append, None)) == Sending(20, 0)
    assert [place for _, place in destination.sent] == [each.place for each in dead_letters]
    assert [moment for moment, _ in destination.sent] == pytest.approx([n / per_second for n in range(20)])
    assert (destination.finished, sum(steps)) == (20, 20)


def test_what_goes_out_of_reach_while_others_are_sent_is_left_out() -> None:
    """Two a second, of a partition that grows by ten a second: judged when each is due, not when it is read."""
    dead_letters = [dead_letter(offset, f"e{offset}") for offset in (905, 901, 906, 930, 909)]
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)
        reach = Reach(WINDOW, lambda: {0: 1_000 + round(10 * loop.now)}, lambda: loop.now)
        destination, steps = Counted(loop), list[int]()
        assert runner.run(send(dead_letters, destination, 2.0, steps.append, reach)) == Sending(3, 2)
    assert [(moment, place) for moment, place in destination.sent] == [
        (0.0, "images/0/905"),
        (0.5, "images/0/901"),  # by the end of half a second before, 1,000
        (1.0, "images/0/930"),  # by 1,010, as those before and after it, which stay
    ]
    assert sum(steps) == 3
