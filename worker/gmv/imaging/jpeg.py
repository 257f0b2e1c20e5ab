"""JPEG files without previews, profiles, comments, XMP and EXIF, of which the orientation alone is read.

Sources: ITU-T T.81, annex B; JFIF 1.02; Adobe's APP14 as T.872, 6.5.3 has it; libjpeg, `jdmarker.c`.
"""

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gmv.errors import Poison, Reason
from gmv.imaging.orientation import EXIF_PREFIX, orientation_of
from gmv.imaging.pixels import PARTS_MAX, Pixels, without

JPEG_SCANS_MAX: Final = 100
"""A progressive JPEG has about 10; a file of 20 MB could hold a million, each a pass over all pixels."""

_SOS, _EOI, _APP0, _APP14, _APP15, _COM = 0xDA, 0xD9, 0xE0, 0xEE, 0xEF, 0xFE
_METADATA = frozenset({*range(_APP0, _APP15 + 1), _COM})
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9), _EOI, 0xFF})
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # those with a length, and the end
_HEAD = struct.Struct(">BBH")
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
_DECIDES_COLOURS = {_APP0: (b"JFIF\0", 18), _APP14: (b"Adobe", 16)}  # libjpeg takes none that are shorter


def jpeg_pixels(content: bytes) -> Pixels:
    """Keep the segments that decode to pixels.

    Raises:
        Poison: `image_refused`, the picture has more than `JPEG_SCANS_MAX` scans.
    """
    cuts: list[tuple[int, int]] = []
    exif: list[bytes] = []  # goes on in another segment where it has more than 64 KiB
    xmp = b""
    place = 2
    for marker, start, end in islice(_segments(content), PARTS_MAX):
        if start != place:  # decoders pass over it, and would not if it came together with what follows a cut
            cuts.append((place, start))
        place = end
        if marker == _SOS or end > len(content):
            break
        if marker not in _METADATA or _decides_colours(content, marker, start, end):
            continue
        cuts.append((start, end))
        if content.startswith(EXIF_PREFIX, start + 4):
            exif.append(content[start + 4 + len(EXIF_PREFIX) : end])
        elif content.startswith(_XMP_PREFIX, start + 4):
            xmp = content[start + 4 + len(_XMP_PREFIX) : end]
    pixels = without(content, cuts)
    _check_scans(pixels)
    whole_exif = b"".join(exif)
    return Pixels(pixels, orientation_of(whole_exif, xmp), exif=whole_exif, xmp=xmp)


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment up to the end of the picture; the end is what its length says."""
    place = 2
    while place + 4 <= len(content):
        mark, marker, length = _HEAD.unpack_from(content, place)
        if mark == 0xFF and marker not in _WITHOUT_LENGTH:
            start, place = place, place + 2 + max(length, 2)
            yield marker, start, place
            continue
        found = _MARKER.search(content, place)  # what is before it is passed over, as decoders do
        if found is None or found[1][0] == _EOI:
            return
        place = found.start()


def _decides_colours(content: bytes, marker: int, start: int, end: int) -> bool:
    if marker not in _DECIDES_COLOURS:
        return False
    name, bytes_min = _DECIDES_COLOURS[marker]
    return content.startswith(name, start + 4) and end - start >= bytes_min


def _check_scans(content: bytes) -> None:
    # Bytes that look like a scan are at least as many as scans are, and counted fast. Where they are too many, some
    # are in what follows the picture, such as a video, and only a walk through all segments tells.
    if content.count(b"\xff\xda") <= JPEG_SCANS_MAX:
        return
    scans = (marker for marker, _, _ in _segments(content) if marker == _SOS)
    if next(islice(scans, JPEG_SCANS_MAX, None), None):
        raise Poison(Reason.IMAGE_REFUSED, f"the JPEG has more than {JPEG_SCANS_MAX} scans")
