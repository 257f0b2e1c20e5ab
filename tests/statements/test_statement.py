"""Sums of statements: by hand, and over any partition of time."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import ConservationBroken
from gmv.ledger.port import Balance
from gmv.ledger.totals import LedgerTotals
from gmv.statements.bookings import Booking
from gmv.statements.period import Period, When, period_of
from gmv.statements.rows import COLUMNS, rows_of
from gmv.statements.statement import Statement, statement_of
from gmv.statements.tally import MODELS_MAX, OTHER_MODELS, By, Key, Line, Tally
from gmv.valuation.receipt import changes_of
from tests.statements.world import Event, World, correction_of, paying, receipt_of


def told(events: list[Event], corrections: list[tuple[str, int, int | None]] | None = None) -> list[Booking]:
    """Bookings of events, whose key `at` says when, and of corrections that take."""
    found = []
    for offset, event in enumerate(events):
        keys = {name: value for name, value in event.keys.items() if name != "at"}
        found.append(Booking(receipt_of(offset, Event(event.paid, keys)), event.keys.get("at")))
    taken = [
        Booking(correction_of(offset, owner, micros), at)
        for offset, (owner, micros, at) in enumerate(corrections or [])
    ]
    return found + taken


def totals_of(bookings: list[Booking]) -> LedgerTotals:
    held: dict[str, int] = {}
    for booking in bookings:
        for owner_id, micros in changes_of(booking.receipt):
            held[owner_id] = held.get(owner_id, 0) + micros
    return LedgerTotals([Balance(*each) for each in held.items()], sum(held.values()), {})


def stated(bookings: list[Booking], owner: str, period: Period, by: By | None = None) -> Statement:
    return statement_of(owner, period, by, bookings, totals_of(bookings), "sqlite:///x", 10)


BY_HAND = told(
    [
        Event({"ada": 600_000, "ben": 400_000}, {"at": 10, "model": "m1"}),
        Event(
            {"ada": 250_001, "ben": 749_999},
            {"at": 20, "model": "m2", "evidence": {"p": 1, "flat": True, "reliable": False}},
        ),
        Event({"ada": 1_000_000}, {"at": 30, "evidence": {"reliable": True, "p": 0.01}}),
        Event({"ada": 7}, {"at": 40}),
        Event({"ada": 5}, {}),
        Event({"ben": 1_000_000}, {"at": 25}),
        Event({}, {"at": 25}),
    ],
    [("ada", 100, 25), ("ada", 3, None), ("ben", 1, 25)],
)


def test_a_statement_by_hand() -> None:
    found = stated(BY_HAND, "ada", Period(20, 40), By.MODEL)
    assert found.opening_micros == 600_000
    assert [(each.label, each.events, each.event_micros, each.credit_micros) for each in found.lines] == [
        ("m2", 1, 250_001, 250_001),
        (None, 1, 1_000_000, 1_000_000 - 100),
    ]
    assert (found.total.events, found.total.corrections, found.total.correction_micros) == (2, 1, -100)
    assert (found.total.judged_events, found.total.unreliable_events) == (2, 1)
    assert found.later_micros == 7
    assert (found.without_time.events, found.without_time.credit_micros) == (1, 5 - 3)
    assert found.ledger_micros == 600_000 + 250_001 + 1_000_000 + 7 + 5 - 103
    assert [(each.image_id, each.events, each.credit_micros) for each in found.works] == [
        ("ada-1", 1, 1_000_000),
        ("ada-2", 1, 250_001),
    ]
    assert [(each.id, each.change_micros) for each in found.corrections] == [("c0", -100), ("c1", -3)]


def test_what_a_period_came_to_counts_each_event_once() -> None:
    tally = Tally(Period(20, 40), None)
    for booking in BY_HAND:
        tally.add(booking)
    assert tally.whole == {
        None: Line(
            events=4,
            event_micros=3_000_000,
            corrections=2,
            correction_micros=-101,
            judged_events=2,
            unreliable_events=1,
        )
    }


def test_models_beyond_the_limit_are_one_line_and_no_credit_is_lost() -> None:
    tally = Tally(Period(), By.MODEL)
    for booking in told([paying(model=f"m{number}", at=1) for number in range(MODELS_MAX + 5)]):
        tally.add(booking)
    assert len(tally.lines) == MODELS_MAX + 1
    assert tally.lines[Key("ada", When.WITHIN, OTHER_MODELS)].events == 5
    assert sum(line.credit_micros for line in tally.lines.values()) == (MODELS_MAX + 5) * 1_000_000


@pytest.mark.parametrize("wrong", [1, -1, 10**6])
def test_receipts_that_do_not_come_to_the_ledgers_total_are_refused(wrong: int) -> None:
    totals = totals_of(BY_HAND)
    altered = LedgerTotals([Balance(each.owner_id, each.micros + wrong) for each in totals.balances], 0, {})
    with pytest.raises(ConservationBroken, match="owner 'ada' has"):
        statement_of("ada", Period(20, 40), None, BY_HAND, altered, "sqlite:///x", 10)


moments = st.one_of(st.none(), st.integers(0, 200_000_000_000))
events = st.builds(
    lambda paid, at, model: Event(paid, {"at": at} | ({} if model is None else {"model": model})),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 1_000_000), max_size=3),
    moments,
    st.sampled_from([None, "", "m1", "m2"]),
)
corrections = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 500), moments), max_size=4)


@given(
    st.lists(events, max_size=20),
    corrections,
    st.lists(st.integers(1, 200_000_000_000), max_size=5, unique=True),
    st.sampled_from([None, *By]),
)
def test_statements_over_any_partition_of_time_add_up_to_the_whole(
    made: list[Event], taken: list[tuple[str, int, int | None]], cuts: list[int], by: By | None
) -> None:
    bookings = told(made, taken)
    edges = [None, *sorted(cuts), None]
    totals = totals_of(bookings)
    for owner in {each.owner_id for each in totals.balances}:
        parts = [stated(bookings, owner, Period(since, until), by) for since, until in pairwise(edges)]
        whole = stated(bookings, owner, Period(), by)
        held = next(each.micros for each in totals.balances if each.owner_id == owner)
        undated = parts[0].without_time  # of the whole, which has neither begin nor end, it is a part
        assert sum(part.total.credit_micros for part in parts) + undated.credit_micros == whole.total.credit_micros
        assert sum(part.total.events for part in parts) + undated.events == whole.total.events
        assert whole.total.credit_micros == whole.ledger_micros == held
        for part in parts:
            assert sum(line.credit_micros for line in part.lines) == part.total.credit_micros
            assert part.without_time == undated
            outside = part.opening_micros + part.later_micros + part.without_time.credit_micros
            assert outside + part.total.credit_micros == part.ledger_micros


@given(st.lists(events, max_size=20), corrections)
def test_months_are_those_of_the_calendar(made: list[Event], taken: list[tuple[str, int, int | None]]) -> None:
    bookings = told(made, taken)
    tally = Tally(Period(), By.MONTH)
    expected: dict[tuple[str, str | None], int] = {}
    for booking in bookings:
        tally.add(booking)
        moment = booking.moment_ms
        month = None if moment is None else datetime.fromtimestamp(moment / 1_000, UTC).strftime("%Y-%m")
        for owner, micros in booking.changes().items():
            expected[owner, month] = expected.get((owner, month), 0) + micros
    found = {(key.owner_id, key.label): line.credit_micros for key, line in tally.lines.items()}
    assert found == expected


def test_rows_of_all_owners_add_up_to_the_ledger() -> None:
    tally = Tally(Period(20, 40), By.MODEL)
    for booking in BY_HAND:
        tally.add(booking)
    tally.check(totals_of(BY_HAND))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(tally)]
    assert [(row["owner_id"], row["when"], row["label"], row["credit_micros"]) for row in rows] == [
        ("ada", "after", None, 7),
        ("ada", "before", None, 600_000),
        ("ada", "within", None, 1_000_000 - 100),
        ("ada", "within", "m2", 250_001),
        ("ada", "without_time", None, 2),
        ("ben", "before", None, 400_000),
        ("ben", "within", None, 1_000_000 - 1),
        ("ben", "within", "m2", 749_999),
    ]


def test_a_ledger_in_a_file_and_its_receipts_agree(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit([paying(time="2026-10-31T23:59:59Z"), paying("ben", time="2026-11-01T00:00:00Z")], orphans=1)
    world.commit([paying(micros=5, time="2026-11-02T00:00:00Z")], copies=2)
    november = period_of("2026-11-01", "2026-12-01")
    found = statement_of("ada", november, None, world.bookings(), world.totals(), world.settings.url, 10)
    assert (found.opening_micros, found.total.credit_micros, found.ledger_micros) == (1_000_000, 5, 1_000_005)
