"""WEBP files: the codec reads no metadata, so the file stays as it is, and the orientation alone is read.

Source: RFC 9649, 2.7 (the extended file format).
"""

from typing import Final

from gmv.imaging.orientation import UPRIGHT, orientation_of
from gmv.imaging.pixels import PARTS_MAX, Pixels

_FLAGS: Final = {b"EXIF": 0x08, b"XMP ": 0x04}
"""By which the header says that there is such a chunk; libwebp takes none that is not announced."""


def webp_pixels(content: bytes) -> Pixels:
    """Find the orientation."""
    if content[12:16] != b"VP8X":  # no other file has metadata
        return Pixels(content, UPRIGHT)
    found: dict[bytes, bytes] = {}
    place, end = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    for _ in range(PARTS_MAX):
        if place + 8 > end:
            break
        name, length = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if content[20] & _FLAGS.get(name, 0):
            found.setdefault(name, content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    exif, xmp = found.get(b"EXIF", b""), found.get(b"XMP ", b"")
    return Pixels(content, orientation_of(exif, xmp), exif=exif, xmp=xmp)
