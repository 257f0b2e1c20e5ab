"""Image files without what decides no pixel: text, profiles, previews, EXIF. Codecs see the rest alone.

Sources: PNG (third edition), 5.3 and 11.3; JPEG (ITU-T T.81), annex B, with JFIF and Adobe's APP14 of T.872;
WebP container specification (RIFF).
"""

import re
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from gmv.errors import Poison, Reason
from gmv.imaging.orientation import UPRIGHT, orientation_of

JPEG_SCANS_MAX: Final = 100
"""A progressive JPEG has about 10; a file of 20 MB could hold a million, each a pass over all pixels."""


_PARTS_MAX = 65_536
"""Chunks or segments that are looked at one by one; a file of 20 MB could hold millions, and is left to its codec."""


class Pixels(NamedTuple):
    """What decides the pixels of an image.

    Attributes:
        content: a file of the same format.
        orientation: 1 to 8, to be applied to what the file decodes to.
        key: of a PNG, the body of its `tRNS` chunk.
    """

    content: bytes
    orientation: int
    key: bytes = b""


_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_XMP_KEYWORD = b"XML:com.adobe.xmp\0\0"  # and not compressed


def png_pixels(content: bytes) -> Pixels:
    """Keep the chunks that decode to pixels; of an animation the image that all programs show."""
    cuts: list[tuple[int, int]] = []
    exif = xmp = None
    key, place, name = b"", 8, b""
    for _ in range(_PARTS_MAX):
        if name == b"IEND" or place + 12 > len(content):
            break
        (length,) = struct.unpack_from(">L", content, place)
        name, end = content[place + 4 : place + 8], place + 12 + length
        if not name.isalpha() or end > len(content):
            break  # cut off or damaged from here: the codec says so
        if name == b"tRNS":
            key = content[place + 8 : end - 4]
        elif name == b"eXIf":
            exif = content[place + 8 : end - 4]
        elif name == b"iTXt" and content.startswith(_XMP_KEYWORD, place + 8):
            xmp = content[place + 8 : end - 4]
        if name not in _PNG_CHUNKS:
            cuts.append((place, end))
        place = end
    return Pixels(_without(content, cuts), orientation_of(exif, xmp), key)


def _without(content: bytes, cuts: Sequence[tuple[int, int]]) -> bytes:
    """Return the content but for what is between the bounds given, in order; itself where there are none."""
    if not cuts:
        return content
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(content)]
    return b"".join(content[start:end] for start, end in zip(starts, ends, strict=True))


_SOS, _EOI, _APP0, _APP14, _APP15, _COM = 0xDA, 0xD9, 0xE0, 0xEE, 0xEF, 0xFE
_EXIF, _XMP_PREFIX = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_DECIDES_COLOURS = {_APP0: (b"JFIF\0", 18), _APP14: (b"Adobe", 16)}  # libjpeg takes none that are shorter
_FILL = re.compile(rb"\xff+(?=\xff)")
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # those with a length, and the end


def jpeg_pixels(content: bytes) -> Pixels:
    """Keep the segments that decode to pixels.

    Raises:
        Poison: `image_refused`, the picture has more than `JPEG_SCANS_MAX` scans.
    """
    cuts: list[tuple[int, int]] = []
    exif = xmp = None
    place = 2
    for _ in range(_PARTS_MAX):
        place = _behind_fill_bytes(content, place)
        marker = _segment_marker(content, place)
        if marker is None or marker == _SOS:
            break
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if end > len(content):
            break
        if (_APP0 <= marker <= _APP15 or marker == _COM) and not _decides_colours(marker, content, place, end):
            cuts.append((place, end))
            if exif is None and content.startswith(_EXIF, place + 4):
                exif = content[place + 4 : end]
            elif xmp is None and content.startswith(_XMP_PREFIX, place + 4):
                xmp = content[place + 4 : end]
        place = end
    pixels = _without(content, cuts)
    _check_scans(pixels)
    return Pixels(pixels, orientation_of(exif, xmp))


def _behind_fill_bytes(content: bytes, place: int) -> int:
    found = _FILL.match(content, place)
    return found.end() if found else place


def _segment_marker(content: bytes, place: int) -> int | None:
    """Return the marker of a segment with a length; None where there is something else."""
    if place + 4 > len(content) or content[place] != 0xFF or content[place + 1] in (0x00, 0x01, 0xFF, _EOI):
        return None
    marker = content[place + 1]
    return None if 0xD0 <= marker <= 0xD8 else marker


def _decides_colours(marker: int, content: bytes, place: int, end: int) -> bool:
    if marker not in _DECIDES_COLOURS:
        return False
    name, bytes_min = _DECIDES_COLOURS[marker]
    return content.startswith(name, place + 4) and end - place >= bytes_min


def _check_scans(content: bytes) -> None:
    # Bytes that look like a scan are at least as many as scans are, and counted fast. Where they are too many, some
    # are in what follows the picture, such as a video, and only a walk through all segments tells.
    if content.count(b"\xff\xda") <= JPEG_SCANS_MAX:
        return
    scans, place = 0, 2
    while found := _MARKER.search(content, place):
        marker, place = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker == _SOS:
            scans += 1
            if scans > JPEG_SCANS_MAX:
                raise Poison(Reason.IMAGE_REFUSED, f"the JPEG has more than {JPEG_SCANS_MAX} scans")
        place += int.from_bytes(content[place : place + 2], "big")


def webp_pixels(content: bytes) -> Pixels:
    """Find the orientation; the codec reads no metadata, so the file stays as it is."""
    if content[12:16] != b"VP8X":  # no other file has metadata
        return Pixels(content, UPRIGHT)
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content):
        name, length = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if name in (b"EXIF", b"XMP "):
            found.setdefault(name, content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    return Pixels(content, orientation_of(found.get(b"EXIF"), found.get(b"XMP ")))
