"""What of an event its receipt tells on, within limits: receipts are kept longer and read by more than events are."""

from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from gmv.events.event_time import valid_milliseconds
from gmv.events.json_text import JsonPart
from gmv.events.model import GeneratedImage, ImageUri
from gmv.stream.records import Record
from gmv.valuation.told import Telling

PICTURE_CHARACTERS_MAX: Final = 1_024
METADATA_BYTES_MAX: Final = 1_024


def told_by(record: Record, event: GeneratedImage, metadata_bytes_max: int = METADATA_BYTES_MAX) -> Telling:
    """Return what the receipt of an event tells of it; nothing but what is in the record.

    Args:
        record: that holds the event.
        event: decoded.
        metadata_bytes_max: how long the text of metadata may be, 0 for none.
    """
    return Telling(
        time=event.time,
        record_timestamp_ms=valid_milliseconds(record.timestamp_ms),
        model=event.model,
        picture=_picture(event.content.uri) if isinstance(event.content, ImageUri) else None,
        metadata=None if event.metadata is None else _short(event.metadata, metadata_bytes_max),
    )


def _picture(uri: str) -> str | None:
    """Return it without user, query and fragment, in which signed URIs have their keys; None where it is too long."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    named = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return named if 0 < len(named) <= PICTURE_CHARACTERS_MAX else None


def _short(metadata: JsonPart, bytes_max: int) -> Any:
    """Return its value, None where its text is longer or no JSON that a receipt can hold."""
    if bytes_max == 0:
        return None
    try:
        text = metadata.text
        value = orjson.loads(text) if len(text) <= bytes_max else None
        orjson.dumps([[value]])  # which has a limit of its own on levels: a receipt adds two
    except (ValueError, TypeError):
        return None
    return value
