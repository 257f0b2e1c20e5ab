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


def told_by(record: Record, event: GeneratedImage) -> Telling:
    """Return what the receipt of an event tells of it; nothing but what is in the record."""
    return Telling(
        time=event.time,
        record_timestamp_ms=valid_milliseconds(record.timestamp_ms),
        model=event.model,
        picture=_picture(event.content.uri) if isinstance(event.content, ImageUri) else None,
        metadata=None if event.metadata is None else _short(event.metadata),
    )


def _picture(uri: str) -> str | None:
    """Return it without user, query and fragment, in which signed URIs have their keys; None where it is too long."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    named = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return named if 0 < len(named) <= PICTURE_CHARACTERS_MAX else None


def _short(metadata: JsonPart) -> Any:
    """Return its value, None where its text is longer than `METADATA_BYTES_MAX` or no JSON that a receipt can hold."""
    try:
        text = metadata.text
        value = orjson.loads(text) if len(text) <= METADATA_BYTES_MAX else None
        orjson.dumps([[value]])  # which has a limit of its own on levels: a receipt adds two
    except (ValueError, TypeError):
        return None
    return value
