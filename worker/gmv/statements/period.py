"""From when to when a statement is, and in which month a moment lies."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gmv.errors import InvalidSettings
from gmv.events.event_time import MILLISECONDS_MAX

_MIDNIGHT: Final = "T00:00:00Z"


class When(StrEnum):
    """Where a moment lies, as seen from a period."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    WITHOUT_TIME = "without_time"
    """The receipt tells no time: it is in no period that has a begin or an end."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment on, up to another, which is no part of it; None where it has no begin or no end.

    Attributes:
        since_ms: milliseconds since 1970.
        until_ms: likewise.
        zone: in which days and months begin.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    zone: tzinfo = UTC

    @property
    def is_all_times(self) -> bool:
        """Whether it has neither a begin nor an end."""
        return self.since_ms is None and self.until_ms is None

    def when(self, moment_ms: int | None) -> When:
        """Return where a moment lies; None is one that is not known."""
        if moment_ms is None:
            return When.WITHIN if self.is_all_times else When.WITHOUT_TIME
        if self.since_ms is not None and moment_ms < self.since_ms:
            return When.BEFORE
        if self.until_ms is not None and moment_ms >= self.until_ms:
            return When.AFTER
        return When.WITHIN

    def month(self, moment_ms: int) -> str:
        """Return the month of a moment, `2026-10`."""
        moment = datetime.fromtimestamp(moment_ms // 1_000, self.zone)
        return f"{moment.year}-{moment.month:02}"

    def text(self, moment_ms: int | None) -> str | None:
        """Return a moment as people and programs read it, ISO 8601 with its offset; None as None."""
        if moment_ms is None:
            return None
        seconds, milliseconds = divmod(moment_ms, 1_000)
        moment = datetime.fromtimestamp(seconds, self.zone).replace(microsecond=milliseconds * 1_000)
        return moment.isoformat(timespec="milliseconds" if milliseconds else "seconds").replace("+00:00", "Z")


def period_of(since: str | None, until: str | None, timezone: str = "UTC") -> Period:
    """Return the period that options name.

    Args:
        since: `2026-10-01`, or a time; None for from the first receipt on.
        until: likewise; the period ends before it.
        timezone: of what has no offset, and of months: a name such as Europe/Berlin.

    Raises:
        InvalidSettings: an option is no time or no time zone, or the period ends before it begins.
    """
    zone = _zone(timezone)
    period = Period(_milliseconds("--from", since, zone), _milliseconds("--to", until, zone), zone)
    if period.since_ms is not None and period.until_ms is not None and period.since_ms >= period.until_ms:
        raise InvalidSettings(f"--from {since} is not before --to {until}; a period ends before the day of --to")
    return period


def period_text(since: str | None, until: str | None) -> str:
    """Name a period by its begin and its end, as `Period.text` writes them; whole days in UTC by their dates alone."""
    ends = [each for each in (since, until) if each is not None]
    zone = ""
    if ends and all(each.endswith(_MIDNIGHT) for each in ends):
        since, until = (each and each.removesuffix(_MIDNIGHT) for each in (since, until))
        zone = " (UTC)"
    match since, until:
        case None, None:
            return "at all times"
        case _, None:
            return f"from {since} on{zone}"
        case None, _:
            return f"up to before {until}{zone}"
    return f"from {since} to before {until}{zone}"


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # machines without a time zone database have it, too
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSettings(
            f"--timezone {name!r} is none that this machine knows; UTC and Europe/Berlin are written so"
        ) from None


def _milliseconds(option: str, text: str | None, zone: tzinfo) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        milliseconds = round(moment.timestamp() * 1_000)
    except (ValueError, OverflowError):
        raise InvalidSettings(f"{option} {text!r} is no date; 2026-10-01 or 2026-10-01T14:30 is one") from None
    if milliseconds >= MILLISECONDS_MAX:
        raise InvalidSettings(
            f"{option} {text!r} is after 9998, and no event is; leave it out for a period without end"
        )
    if milliseconds < 0:
        raise InvalidSettings(f"{option} {text!r} is before 1970, when no event can have been; name a later day")
    return milliseconds
