"""When an event says that it happened, and any other time that is text: RFC 3339, as CloudEvents demands it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

TIME: Final = "time"

# https://www.rfc-editor.org/rfc/rfc3339#section-5.6: T and Z in either case, a fraction of any length, 60 as a second.
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
_CHARACTERS_MAX: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 59
_LEAP_SECOND: Final = 60
MILLISECONDS_MAX: Final = 253_370_764_800_000
"""The year 9999 begins: below it, a time is one in any time zone, too."""


def unix_milliseconds(text: object) -> int | None:
    """Return a time in milliseconds since 1970, rounded down; a leap second is the last millisecond before it.

    Returns:
        None for what is no time, or is not from 1970 to 9998.
    """
    found = _TIME.fullmatch(text) if isinstance(text, str) and len(text) <= _CHARACTERS_MAX else None
    if found is None:
        return None
    date, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        begin = datetime.fromisoformat(f"{date}T{minute}:{min(int(second), _LAST_SECOND):02}+00:00")
    except ValueError:
        return None
    if int(second) > _LEAP_SECOND:
        return None
    milliseconds = 999 if int(second) == _LEAP_SECOND else int((fraction or "").ljust(3, "0")[:3])
    since = (begin - _EPOCH) // timedelta(milliseconds=1) + milliseconds
    if sign is not None:
        since += (-1 if sign == "+" else 1) * (int(hours) * 60 + int(minutes)) * 60_000
    return valid_milliseconds(since)


def valid_milliseconds(milliseconds: object) -> int | None:
    """Return it where it is a time from 1970 to 9998, as `unix_milliseconds` gives it."""
    return milliseconds if type(milliseconds) is int and 0 <= milliseconds < MILLISECONDS_MAX else None
