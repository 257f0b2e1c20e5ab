"""From JSON text to what gmv reads of it. What decides no credit costs an event nothing, even where it is no JSON."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import orjson

from gmv.errors import Poison, Reason
from gmv.events.json_text import is_one_object, members
from gmv.events.wire import WireAttributes, WireData, WireFeatures, WireImage

DATA: Final = "data"
DATA_BASE64: Final = "data_base64"
DATA_CONTENT_TYPE: Final = "datacontenttype"
METADATA: Final = "metadata"

DETAIL_CHARACTERS_MAX: Final = 300

_BRACKETS_MAX: Final = 2**17  # 1 s of a record that no parser reads; strings take up to 0.4 s per MB besides
_BATCH = "is a JSON array, as in CloudEvents' batch mode; send one event per record, in a file one event per line"
_TEXT = "is a JSON string; write the object itself, not its text in quotes"

Fields = Mapping[str, Callable[[bytes], bytes]]
"""What is read of an object, by name: from a value as it was written to JSON that has no more than is read."""


def parse_event(value: bytes) -> dict[str, Any]:
    """Return the attributes and data of a whole event. Raises as `_parse`."""
    return _parse(value, "the event", _EVENT)


def parse_data(value: bytes, what: str) -> dict[str, Any]:
    """Return the data of an event; `what` it is called. Raises as `_parse`."""
    return _parse(value, what, _DATA)


def _parse(value: bytes, what: str, fields: Fields) -> dict[str, Any]:
    """Return an object; of one that orjson refuses, what gmv reads of it, and `{}` for its metadata.

    Raises:
        Poison: `malformed_json`, or `invalid_event` where it is no object.
    """
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        found = _read_alone(value, fields)
        if found is None:
            raise Poison(Reason.MALFORMED_JSON, f"{what} is not JSON: {error}"[:DETAIL_CHARACTERS_MAX]) from None
    if not isinstance(found, dict):
        raise Poison(Reason.INVALID_EVENT, f"{what} {_complaint_about(found)}")
    return found


def _complaint_about(found: Any) -> str:
    match found:
        case list():
            return _BATCH
        case str():
            return _TEXT
    return "should be a JSON object"


def _read_alone(value: bytes, fields: Fields) -> dict[str, Any] | None:
    """Parse an object without what gmv does not read; None where the rest is no JSON either."""
    if sum(map(value.count, (b"[", b"{"))) > _BRACKETS_MAX or not is_one_object(value):
        return None
    try:
        found: dict[str, Any] = orjson.loads(_reduced(value, fields))
    except ValueError:
        return None
    return found


def _reduced(text: bytes, fields: Fields) -> bytes:
    """Write an object anew, with the given fields alone.

    Raises:
        ValueError: it is broken.
    """
    kept = [
        orjson.dumps(name) + b":" + fields[name](text[start:end])
        for name, start, end in members(text)
        if name in fields
    ]
    return b"{" + b",".join(kept) + b"}"


def _as_written(value: bytes) -> bytes:
    return value


def _inside(value: bytes, fields: Fields) -> bytes:
    return _reduced(value, fields) if value.startswith(b"{") else value


def _kept(value: bytes) -> bytes:
    """Say only whether it is there: the text itself is taken from the event."""
    return value if value == b"null" else b"{}"


def _or_null(value: bytes) -> bytes:
    """Return what decides no credit; null where it is no JSON, for it is as good as absent."""
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return b"null"
    return value


_IMAGE: Final[Fields] = dict.fromkeys(WireImage.model_fields, _as_written)
_FEATURES: Final[Fields] = dict.fromkeys(WireFeatures.model_fields, _as_written)
_DATA: Final[Fields] = dict.fromkeys(WireData.model_fields, _as_written) | {
    "image": partial(_inside, fields=_IMAGE),
    "features": partial(_inside, fields=_FEATURES),
    "model": _or_null,
    METADATA: _kept,
}
_EVENT: Final[Fields] = dict.fromkeys([*WireAttributes.model_fields, DATA_BASE64], _as_written) | {
    DATA: partial(_inside, fields=_DATA),
    DATA_CONTENT_TYPE: _as_written,
    "traceparent": _or_null,
    "time": _or_null,
}
