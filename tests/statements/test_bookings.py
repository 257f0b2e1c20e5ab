"""Which receipts count, once each, and when."""

from pathlib import Path

import pytest

from gmv.errors import ConservationBroken, EventsRefused
from gmv.ledger.position import Position
from gmv.operations.published import PassedOver, Published
from gmv.statements.bookings import Booking, committed_bookings
from gmv.valuation.receipt import seal
from tests.statements.world import Event, World, correction_of, paying, receipt_of

OCTOBER = 1_790_812_800_000  # 2026-10-01T00:00:00Z


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ids(bookings: list[Booking]) -> list[str]:
    return [str(each.receipt["event"]["id"]) for each in bookings]


def test_what_was_never_committed_and_what_was_published_twice_is_not_counted_twice(world: World) -> None:
    world.commit([paying(), paying("ben")], orphans=2, copies=3)
    world.commit([paying("cy")], orphans=1, copies=2)
    assert ids(world.bookings()) == ["e0", "e1", "e2"]


def test_receipts_that_came_after_the_ledger_was_read_are_not_counted(world: World) -> None:
    world.commit([paying()])
    totals = world.totals()
    world.commit([paying()])
    assert ids(list(committed_bookings(totals.positions, world.published))) == ["e0"]


@pytest.mark.parametrize(
    ("keys", "moment"),
    [
        ({"time": "2026-10-01T00:00:00Z", "record_timestamp_ms": 5}, OCTOBER),
        ({"time": "2026-10-01T02:00:00.1239+02:00"}, OCTOBER + 123),
        ({"record_timestamp_ms": 5}, 5),
        ({"time": "yesterday", "record_timestamp_ms": 5}, 5),
        ({"time": 7, "record_timestamp_ms": "7"}, None),
        ({"record_timestamp_ms": -1}, None),
        ({"record_timestamp_ms": 2**62}, None),
        ({}, None),
    ],
)
def test_an_event_counts_at_its_own_time_or_else_at_its_records(
    world: World, keys: dict[str, object], moment: int | None
) -> None:
    world.commit([Event({"ada": 1}, keys)])
    assert [each.moment_ms for each in world.bookings()] == [moment]


@pytest.mark.parametrize(
    ("time", "published_ms", "moment"),
    [("2026-10-01T00:00:00Z", 9, OCTOBER), (None, 9, 9), (None, None, None), (None, -1, None)],
)
def test_a_correction_counts_at_its_lines_time_or_else_when_its_receipt_came_to_kafka(
    time: str | None, published_ms: int | None, moment: int | None
) -> None:
    name, lines = seal([correction_of(0, "ada", 5, time=time)])
    published = [Published("t/0/0", lines[0], published_ms)]
    positions = {("corrections/c.jsonl", 0): Position("first-correction:1", 1, -1, name)}
    (booking,) = committed_bookings(positions, lambda: published)
    assert (booking.moment_ms, booking.changes()) == (moment, {"ada": -5})


def test_an_events_receipt_without_a_time_has_none_though_kafka_knows_when_it_was_published() -> None:
    name, lines = seal([receipt_of(0, paying())])
    positions = {("events.jsonl", 0): Position("first-record:1", 1, -1, name)}
    (booking,) = committed_bookings(positions, lambda: [Published("t/0/0", lines[0], 9)])
    assert booking.moment_ms is None


def test_receipts_of_another_ledger_are_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    other.commit([paying("eve")])
    world.commit([paying()])
    with pytest.raises(EventsRefused, match="none of these receipts is of this ledger"):
        list(committed_bookings(world.totals().positions, other.published))


def test_receipts_given_to_a_ledger_that_has_credited_nothing_are_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    other.commit([paying("eve")])
    with pytest.raises(EventsRefused, match="none of these receipts is of this ledger"):
        list(committed_bookings(world.totals().positions, other.published))


def test_a_committed_batch_without_all_of_its_receipts_is_refused_and_a_torn_line_named(world: World) -> None:
    world.commit([paying(), paying()])
    world.commit([paying()])
    content = world.receipts.read_bytes()
    torn = content.replace(b'"id":"e1"', b'"id":"e1', 1)
    world.receipts.write_bytes(torn)
    passed_over = PassedOver()
    with pytest.raises(ConservationBroken, match=r"1 of 2, r:1"):
        list(committed_bookings(world.totals().positions, world.published, passed_over))
    assert passed_over.places == ["r:2"]


@pytest.mark.parametrize("tail", [b'{"batch":"3', b"not JSON\n", b"[]\n", b'{"batch": 1}\n', b"\xff\xfe\n"])
def test_a_line_that_is_no_receipt_costs_nothing_that_is_committed(world: World, tail: bytes) -> None:
    world.commit([paying()])
    with world.receipts.open("ab") as file:
        file.write(tail)
    passed_over = PassedOver()
    assert len(list(committed_bookings(world.totals().positions, world.published, passed_over))) == 1
    assert passed_over.places == ["r:2"]


@pytest.mark.parametrize(
    ("keys", "evidence"),
    [
        ({"evidence": {"p": 0.5, "reliable": True}}, (0.5, False, True)),
        ({"evidence": {"p": 1, "flat": True, "reliable": False}}, (1, True, False)),
        ({"evidence": {"p": 0.5}}, None),
        ({"evidence": {"p": "0.5", "reliable": True}}, None),
        ({"evidence": [0.5, True]}, None),
        ({"evidence": None}, None),
        ({}, None),
    ],
)
def test_evidence_is_read_where_receipts_tell_it(
    world: World, keys: dict[str, object], evidence: tuple[float, bool, bool] | None
) -> None:
    world.commit([Event({"ada": 1}, keys)])
    assert [each.evidence for each in world.bookings()] == [evidence]
