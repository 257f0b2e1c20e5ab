"""What of an image file decides its pixels: the rest no codec gets to see, and no fault in it refuses an image."""

from collections.abc import Sequence
from typing import Final, NamedTuple

PARTS_MAX: Final = 65_536
"""Chunks or segments that are looked at one by one; a file of 20 MB could hold millions, and is left to its codec."""


class Pixels(NamedTuple):
    """What decides the pixels of an image.

    Attributes:
        content: a file of the same format.
        orientation: 1 to 8, to be applied to what the file decodes to.
        key: of a PNG, the body of its `tRNS` chunk.
        exif: a TIFF structure, as the file has it; empty where there is none.
        xmp: a packet of XML, not compressed and perhaps damaged, likewise.
    """

    content: bytes
    orientation: int
    key: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""


def without(content: bytes, cuts: Sequence[tuple[int, int]]) -> bytes:
    """Return the content but for what is between the bounds given, in order; itself where there are none."""
    if not cuts:
        return content
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(content)]
    return b"".join(content[start:end] for start, end in zip(starts, ends, strict=True))
