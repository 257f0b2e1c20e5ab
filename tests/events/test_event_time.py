"""Times as events write them, and what is none."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.events.cloudevents import decode
from gmv.events.encoding import binary, structured
from gmv.events.event_time import MILLISECONDS_MAX, unix_milliseconds, valid_milliseconds
from gmv.events.model import EVENT_TYPE


def event() -> dict[str, Any]:
    data = {"image": {"uri": "file:///a.png"}}
    return {"specversion": "1.0", "type": EVENT_TYPE, "source": "/s", "id": "e", "data": data}


@given(
    st.datetimes(datetime(1970, 1, 3), datetime(9998, 12, 29)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_a_time_is_what_python_takes_it_for(moment: datetime, offset_minutes: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    expected = (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert unix_milliseconds(there.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.0019z", 1),
        ("1970-01-01T00:00:01.123456789Z", 1_123),
        ("1970-01-01T00:59:60Z", 3_599_999),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("9998-12-31T23:59:59.999Z", MILLISECONDS_MAX - 1),
    ],
)
def test_times(text: str, milliseconds: int) -> None:
    assert unix_milliseconds(text) == milliseconds


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "now", "2026-10-01", "2026-10-01T00:00:00", "2026-10-01 00:00:00Z", "2026-10-01T00:00Z"),
        *("2026-02-30T00:00:00Z", "2026-10-01T24:00:00Z", "2026-10-01T00:60:00Z", "2026-10-01T00:00:61Z"),
        *("2026-10-01T00:00:00+24:00", "2026-10-01T00:00:00.Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"),
        *("1970-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z", "٢026-10-01T00:00:00Z", "2026-10-01T00:00:00Z\n"),
        "2026-10-01T00:00:00." + "0" * 60 + "Z",
        *(None, 5, True, b"2026-10-01T00:00:00Z"),
    ],
)
def test_what_is_no_time(wrong: object) -> None:
    assert unix_milliseconds(wrong) is None


@pytest.mark.parametrize("wrong", [-1, MILLISECONDS_MAX, 2**63, 1.0, True, "5", None])
def test_what_are_no_milliseconds(wrong: object) -> None:
    assert valid_milliseconds(wrong) is None


@pytest.mark.parametrize("time", ["2026-10-01T12:00:00.5+02:00", "1999-12-31t23:59:60z"])
def test_an_events_time_is_kept_as_it_was_written(time: str) -> None:
    decoded = decode(orjson.dumps({**event(), "time": time}))
    assert decoded.time == time
    message = binary(decoded)
    assert dict(message.headers)["ce_time"] == time.encode()
    assert decode(message.value, message.headers).time == decode(structured(decoded)).time == time


@pytest.mark.parametrize("time", ["yesterday", 5, [], {}, None, "2026-10-01"])
def test_a_wrong_time_costs_an_event_nothing(time: object) -> None:
    whole = event()
    decoded = decode(orjson.dumps({**whole, "time": time}))
    assert decoded.time is None
    assert decoded.payload == decode(orjson.dumps(whole)).payload


def test_a_time_that_no_parser_reads_costs_an_event_nothing() -> None:
    whole = orjson.dumps({**event(), "time": "HERE"})
    assert decode(whole.replace(b'"HERE"', b'"\\ud800"')).time is None
    assert decode(whole.replace(b'"HERE"', b"NaN")).time is None
