"""Records that cannot be credited, one function per kind. No module of gmv is used, see `mixed_events.py`."""

import base64
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, Final

import numpy as np
import orjson

Event = dict[str, Any]
Transport = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers of a Kafka record."""


def _cut_off(event: Event, random: Random) -> bytes:
    line = orjson.dumps(event)
    return line[: random.randrange(10, len(line) - 1)]


def _not_utf8(event: Event, random: Random) -> bytes:
    return b'{"id": "\xff\xfe"}'


def _not_an_object(event: Event, random: Random) -> bytes:
    return b"[1, 2, 3]"


def _without(name: str) -> Callable[[Event, Random], bytes]:
    def poison(event: Event, random: Random) -> bytes:
        return orjson.dumps({key: value for key, value in event.items() if key != name})

    return poison


def _with(**changes: Any) -> Callable[[Event, Random], bytes]:
    def poison(event: Event, random: Random) -> bytes:
        return orjson.dumps(event | changes)

    return poison


def _with_data(**changes: Any) -> Callable[[Event, Random], bytes]:
    def poison(event: Event, random: Random) -> bytes:
        return orjson.dumps(event | {"data": event["data"] | changes})

    return poison


def _with_image(make: Callable[[], bytes]) -> Callable[[Event, Random], bytes]:
    def poison(event: Event, random: Random) -> bytes:
        return orjson.dumps(event | {"data": {"image": {"bytes": base64.b64encode(make()).decode()}}})

    return poison


def _with_features(**changes: Any) -> Callable[[Event, Random], bytes]:
    numbers = base64.b64encode(np.full(256, 1 / 16, "<f4").tobytes()).decode()
    features = {"encoder": "another/1@0000", "vector": numbers, "tokens": numbers, "shape": [4, 64]}

    def poison(event: Event, random: Random) -> bytes:
        return orjson.dumps(event | {"data": {"features": features | changes}})

    return poison


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG whose header says so much and whose pixels are nearly all missing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1_000)))


_NOT_A_NUMBER: Final = base64.b64encode(np.full(256, np.nan, "<f4").tobytes()).decode()

POISON: Final[tuple[Callable[[Event, Random], bytes], ...]] = (
    _cut_off,
    _not_utf8,
    _not_an_object,
    _without("data"),
    _without("id"),
    _without("specversion"),
    _with(type="org.example.other.v1"),
    _with(source=""),
    _with(id=7),
    _with(data={"image": {"bytes": "not base64!"}}),
    _with(data={"image": {"uri": "file:///nowhere/at-all.png"}}),
    _with(data={}),
    _with_data(quality=1.5),
    _with_data(quality="0.5"),
    _with_data(image={"uri": "file:///a.png", "bytes": "AAAA"}),
    _with_image(lambda: png_of_size(60_000, 60_000)),  # a bomb, by its header
    _with_image(lambda: png_of_size(640, 480)),  # most of it is missing
    _with_image(lambda: b"GIF89a not one of the formats"),
    _with_image(lambda: b""),
    _with_features(),
    _with_features(vector=_NOT_A_NUMBER),
    _with_features(shape=[5, 64]),
)
"""From an event that could be credited, and a source of chance, to a line that cannot."""


def _binary(event: Event, **changes: bytes) -> Transport:
    headers = {f"ce_{name}": str(event[name]).encode() for name in ("specversion", "type", "source", "id")}
    headers |= {"content-type": b"application/json"} | {
        name.replace("__", "-"): value for name, value in changes.items()
    }
    return str(event["id"]).encode(), orjson.dumps(event["data"]), list(headers.items())


def _tombstone(event: Event) -> Transport:
    key, _, headers = _binary(event)
    return key, None, headers


def _other_content_type(event: Event) -> Transport:
    return _binary(event, content__type=b"application/avro")


def _id_not_utf8(event: Event) -> Transport:
    return _binary(event, ce_id=b"\xff\xfe")


def _id_twice(event: Event) -> Transport:
    key, value, headers = _binary(event)
    return key, value, [*headers, ("ce_id", b"another")]


BROKEN_TRANSPORTS: Final[tuple[Callable[[Event], Transport], ...]] = (
    _tombstone,
    _other_content_type,
    _id_not_utf8,
    _id_twice,
)
"""From an event that could be credited to a Kafka record that cannot; files have no such thing."""
