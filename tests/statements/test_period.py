from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from gmv.errors import InvalidSettings
from gmv.events.event_time import unix_milliseconds
from gmv.statements.period import Period, When, period_of, period_text


def at(text: str) -> int:
    found = unix_milliseconds(text)
    assert found is not None
    return found


def test_a_day_begins_a_period_and_ends_it_before_it() -> None:
    october = period_of("2026-10-01", "2026-11-01")
    moments = ["2026-09-30T23:59:59.999Z", "2026-10-01T00:00:00Z", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z"]
    assert [october.when(at(each)) for each in moments] == [When.BEFORE, When.WITHIN, When.WITHIN, When.AFTER]
    assert october.when(None) is When.WITHOUT_TIME


def test_days_and_months_begin_in_the_time_zone() -> None:
    october = period_of("2026-10-01", "2026-11-01", "Europe/Berlin")
    assert october.when(at("2026-09-30T21:59:59Z")) is When.BEFORE
    assert october.when(at("2026-09-30T22:00:00Z")) is When.WITHIN
    assert october.when(at("2026-10-31T22:59:59Z")) is When.WITHIN  # winter time by then
    assert october.when(at("2026-10-31T23:00:00Z")) is When.AFTER
    assert october.month(at("2026-09-30T22:00:00Z")) == "2026-10"
    assert Period().month(at("2026-09-30T22:00:00Z")) == "2026-09"
    assert october.zone == ZoneInfo("Europe/Berlin")


def test_a_time_with_an_offset_is_that_time() -> None:
    assert period_of("2026-10-01T00:00:00+02:00", None, "Asia/Tokyo").since_ms == at("2026-09-30T22:00:00Z")
    assert period_of(None, None).zone is UTC


def test_moments_are_written_with_their_offset() -> None:
    assert Period().text(at("2026-10-01T00:00:00.5Z")) == "2026-10-01T00:00:00.500Z"
    assert period_of(None, None, "Europe/Berlin").text(at("2026-10-01T00:00:00Z")) == "2026-10-01T02:00:00+02:00"


@pytest.mark.parametrize(
    ("since", "until", "timezone", "said"),
    [
        ("2026-11-01", "2026-10-01", "UTC", "is not before"),
        ("2026-10-01", "2026-10-01", "UTC", "is not before"),
        ("October", None, "UTC", "--from 'October' is no date"),
        (None, "2026-13-01", "UTC", "--to '2026-13-01' is no date"),
        ("2026-02-30", None, "UTC", "is no date"),
        ("", None, "UTC", "is no date"),
        ("1969-12-31", None, "UTC", "before 1970"),
        (None, "9999-12-31T23:59:59.999999", "UTC", "after 9998"),
        (None, "9999-12-31T23:00-05:00", "UTC", "after 9998"),
        (None, "9999-06-01", "Asia/Tokyo", "after 9998"),
        ("0001-01-01", None, "Asia/Tokyo", "before 1970|is no date"),
        (None, None, "Europe/Berlln", "is none that this machine knows"),
        (None, None, "../../etc/passwd", "is none that this machine knows"),
        (None, None, "", "is none that this machine knows"),
    ],
)
def test_what_is_no_period_is_refused(since: str | None, until: str | None, timezone: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said):
        period_of(since, until, timezone)


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        (None, None, "at all times"),
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "from 2026-10-01 to before 2026-11-01 (UTC)"),
        ("2026-10-01T00:00:00Z", None, "from 2026-10-01 on (UTC)"),
        (None, "2026-11-01T00:00:00Z", "up to before 2026-11-01 (UTC)"),
        (
            *("2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"),
            "from 2026-10-01T00:00:00+02:00 to before 2026-11-01T00:00:00+01:00",
        ),
        (
            *("2026-10-01T00:00:00Z", "2026-10-01T14:30:00Z"),
            "from 2026-10-01T00:00:00Z to before 2026-10-01T14:30:00Z",
        ),
    ],
)
def test_a_period_of_whole_days_in_utc_is_named_by_them(since: str | None, until: str | None, text: str) -> None:
    assert period_text(since, until) == text
