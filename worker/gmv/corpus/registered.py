"""When an image was registered, as a corpus says it: a date, a moment, or a number that grows; it orders copies."""

import math
from datetime import UTC, date, datetime, time
from typing import Any, Final

from gmv.errors import CorpusRefused

_WANTED: Final = (
    "it should be a date or a moment as ISO 8601 has it (2024-01-31, 2024-01-31T09:30:00Z), or a whole number"
)
_NUMBER_MAX: Final = 2**63 - 1


class Registration:
    """Reads what the rows of one corpus say: dates, or numbers, but not both, since nobody could order these."""

    def __init__(self) -> None:
        self._first: tuple[str, bool] | None = None

    def read(self, where: str, value: Any) -> datetime | int | None:
        """Return a moment in UTC or a number; None where nothing is said (empty text, null, NaN).

        A date is its first moment, and a moment without a time zone is in UTC.

        Raises:
            CorpusRefused: it is something else, or of another kind than that of earlier rows.
        """
        found = _parsed(where, value)
        if found is not None:
            is_number = isinstance(found, int)
            if self._first is None:
                self._first = where, is_number
            elif self._first[1] != is_number:
                kinds = ("a number", "a date") if is_number else ("a date", "a number")
                raise CorpusRefused(
                    f"{where}: registered is {kinds[0]}, {value!r}, and in {self._first[0]} {kinds[1]}; give all "
                    "images dates, or all of them numbers"
                )
        return found


def _parsed(where: str, value: Any) -> datetime | int | None:
    match value:
        case None | "":
            return None
        case float() if math.isnan(value):  # what pandas writes for nothing
            return None
        case bool():
            pass
        case int() if abs(value) <= _NUMBER_MAX:
            return value
        case float() if value.is_integer() and abs(value) <= _NUMBER_MAX:
            return int(value)
        case datetime():
            return _in_utc(where, value)
        case date():
            return _in_utc(where, datetime.combine(value, time()))
        case str():
            return _from_text(where, value)
        case _:
            pass
    raise CorpusRefused(f"{where}: registered is {value!r}; {_WANTED}")


def _from_text(where: str, text: str) -> datetime | int:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < len(str(_NUMBER_MAX)):
        return int(text)
    try:
        return _in_utc(where, datetime.fromisoformat(text))
    except ValueError:
        raise CorpusRefused(f"{where}: registered is {text!r}; {_WANTED}") from None


def _in_utc(where: str, moment: datetime) -> datetime:
    try:
        whole = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise CorpusRefused(f"{where}: registered is {moment}, which in UTC is in no year from 1 to 9999") from None
    return datetime.combine(whole.date(), whole.time(), UTC)  # pandas' own moments are a subclass
