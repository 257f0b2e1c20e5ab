"""Records that cannot be credited, put among a demo's events to show what becomes of them."""

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import orjson


def _line_cut_off(line: bytes) -> bytes:
    """What a producer leaves that is killed in the middle of a write."""
    return line[: len(line) // 2]


def _id_missing(line: bytes) -> bytes:
    event = orjson.loads(line)
    del event["id"]
    return orjson.dumps(event)


def _image_cut_off(line: bytes) -> bytes:
    """The file of an image that was half uploaded, under an id of its own."""
    event = orjson.loads(line)
    event["id"] += "-cut-off"
    image = base64.b64decode(event["data"]["image"]["bytes"])
    event["data"]["image"]["bytes"] = base64.b64encode(image[: len(image) // 2]).decode()
    return orjson.dumps(event)


_FAULTS: Final[tuple[Callable[[bytes], bytes], ...]] = (_line_cut_off, _id_missing, _image_cut_off)
BAD_RECORDS: Final = len(_FAULTS)


def with_faults(lines: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield `count` event lines, and among them three bad records, then the first event once more.

    The bad ones come after a quarter, half and three quarters of the events, each made from the event before it.
    """
    first = b""
    faults = {(place * count) // (BAD_RECORDS + 1): fault for place, fault in enumerate(_FAULTS, start=1)}
    for number, line in enumerate(lines):
        first = first or line
        yield line
        if fault := faults.get(number):
            yield fault(line)
    if first:
        yield first
