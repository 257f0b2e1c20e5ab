"""The orientation of an image, read by hand: of all that EXIF and XMP say, nothing else decides pixels.

EXIF as other programs write it is full of faults, and readers of all of it refuse images for tags that nobody needs.
Sources: TIFF 6.0, sections 2 and 8 (Orientation); Exif 2.32, 4.6.4; XMP part 2, 2.4 (tiff:Orientation).
"""

import re
import struct
from typing import Final

UPRIGHT: Final = 1
"""What an image without an orientation has."""

_TAG = 0x0112
_FORMATS = {1: "B", 3: "H", 4: "L"}  # BYTE, SHORT and LONG; writers take any of them
_ENTRIES_MAX = 4_096
_EXIF_PREFIX = b"Exif\0\0"
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])["<]')


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """Return the orientation, 1 to 8; `UPRIGHT` where neither block has one, or none that can be read.

    Args:
        exif: a TIFF structure, with or without `Exif` before it.
        xmp: a packet of XML, not compressed.
    """
    return _from_tiff((exif or b"").removeprefix(_EXIF_PREFIX)) or _from_xmp(xmp or b"") or UPRIGHT


def _from_tiff(block: bytes) -> int | None:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    try:
        magic, start = struct.unpack_from(f"{order}HL", block, 2)
        if magic != 42:
            return None
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        for entry in range(min(entries, _ENTRIES_MAX)):
            tag, kind, count = struct.unpack_from(f"{order}HHL", block, start + 2 + 12 * entry)
            if tag == _TAG and kind in _FORMATS and count == 1:
                (value,) = struct.unpack_from(order + _FORMATS[kind], block, start + 10 + 12 * entry)
                return value if 1 <= value <= 8 else None
    except struct.error:  # it is cut off
        pass
    return None


def _from_xmp(packet: bytes) -> int | None:
    found = _XMP.search(packet)
    return int(found[1]) if found else None
