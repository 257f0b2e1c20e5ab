"""The orientation of an image, read by hand: of all that EXIF and XMP say, nothing else decides pixels.

EXIF as programs write it is full of faults, and readers of all of it refuse images for tags that nobody needs. Where
there is none, the orientation is what Pillow finds: it was asked before, and an image's credits should not change.
Sources: TIFF 6.0, sections 2 and 8 (Orientation); Exif 2.32, 4.6.4; XMP part 2, 2.4 (tiff:Orientation).
"""

import re
import struct
from typing import Final

UPRIGHT: Final = 1
"""What an image without an orientation has."""

EXIF_PREFIX: Final = b"Exif\0\0"

_ORIENTATIONS = range(1, 9)
_TAG = 0x0112
_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_VERSIONS = (b"*\0", b"\0*")  # in both byte orders: some programs mix them
_NUMBERS = {3: "H", 4: "L", 5: "2L", 6: "b", 8: "h", 9: "l", 10: "2l", 11: "f", 12: "d", 13: "L", 16: "Q"}
_NO_NUMBERS = frozenset({1, 2, 7})  # BYTE, ASCII, UNDEFINED; Pillow takes them for text, and browsers for nothing
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """Return the orientation, 1 to 8; `UPRIGHT` where neither block has one, or none that can be read.

    Args:
        exif: a TIFF structure, with or without `EXIF_PREFIX`.
        xmp: a packet of XML, not compressed; it counts where `exif` has no such tag.
    """
    if not exif and not xmp:
        return UPRIGHT
    found = _from_tiff((exif or b"").removeprefix(EXIF_PREFIX).removeprefix(EXIF_PREFIX))
    found = _from_xmp(xmp or b"") if found is None else found
    return next((each for each in _ORIENTATIONS if each == found), UPRIGHT)


def _from_tiff(block: bytes) -> float | None:
    """Return what the first entry with the tag says, 0 for what is no number; None where there is no such entry."""
    order = _BYTE_ORDERS.get(block[:2])
    if order is None or block[2:4] not in _VERSIONS:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}L", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        for place in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(f"{order}HHL", block, place)
            if tag == _TAG and count and kind in _NUMBERS:
                return _first_number(block, order, kind, count, place + 8)
            if tag == _TAG and count and kind in _NO_NUMBERS:
                return 0
    except struct.error:  # it is cut off, or leads out of the block
        pass
    return None


def _first_number(block: bytes, order: str, kind: int, count: int, place: int) -> float:
    """Return the first of an entry's values, which are in the entry itself where they fit into 4 bytes."""
    form = struct.Struct(order + _NUMBERS[kind])
    if count * form.size > 4:
        (place,) = struct.unpack_from(f"{order}L", block, place)
    first, denominator = (*form.unpack_from(block, place), 1)[:2]
    return first / denominator if denominator else 0


def _from_xmp(packet: bytes) -> int | None:
    found = _XMP.search(packet)
    return int(found[1]) if found else None
