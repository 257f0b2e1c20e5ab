"""PNG files without text, profiles, EXIF and all other chunks that decode to no pixel.

Of an animation, the image remains that programs show that know none. Source: PNG (third edition), 5.3 and 11.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from gmv.imaging.orientation import orientation_of
from gmv.imaging.pixels import PARTS_MAX, Pixels, without

_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_HEAD: Final = struct.Struct(">L4s")
_TEXT_BYTES_MAX: Final = 2**20
"""So much of a compressed text is looked at; nothing that holds an orientation is longer."""

_KEYWORD_BYTES_MAX: Final = 80
_EXIF, _RAW_EXIF, _XMP = b"exif", b"Raw profile type exif", b"XML:com.adobe.xmp"
"""Keywords of texts that hold an orientation; the first two are how programs write EXIF that know no `eXIf`."""


def png_pixels(content: bytes) -> Pixels:
    """Keep the chunks that decode to pixels."""
    cuts: list[tuple[int, int]] = []
    texts: dict[bytes, tuple[bytes, bytes]] = {}  # unpacked at the end: thousands may have the same keyword
    key = b""
    for name, start, end in _chunks(content):
        if name in _CHUNKS:
            if end > len(content):
                break  # it is cut off here, and the codec says so
            if name == b"tRNS":
                key = content[start + 8 : end - 4]
            continue
        cuts.append((start, end))
        if name == b"eXIf":
            texts[_EXIF] = (name, content[start + 8 : end - 4])
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            keyword = content[start + 8 : start + 8 + _KEYWORD_BYTES_MAX].partition(b"\0")[0]
            if keyword in (_EXIF, _RAW_EXIF, _XMP):
                texts[keyword] = (name, content[start + 8 + len(keyword) + 1 : end - 4])
    exif, xmp = _metadata(texts) if texts else (b"", b"")
    return Pixels(without(content, cuts), orientation_of(exif, xmp), key, exif, xmp)


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start, end) of each chunk, from its length to its checksum; the end may be behind the file's."""
    place = 8
    for _ in range(PARTS_MAX):
        if place + _HEAD.size > len(content):
            return
        length, name = _HEAD.unpack_from(content, place)
        if not name.isalpha():
            return
        start, place = place, place + 12 + length
        yield name, start, place
        if name == b"IEND":
            return


def _metadata(texts: Mapping[bytes, tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return EXIF and XMP, empty where there is none."""
    found = {keyword: _text(*chunk) for keyword, chunk in texts.items()}
    exif = found[_EXIF] if _EXIF in found else _from_raw_profile(found.get(_RAW_EXIF, b""))
    return exif, found.get(_XMP, b"")


def _text(name: bytes, body: bytes) -> bytes:
    """Return what a chunk holds behind its keyword, if it has one; nothing where it is damaged."""
    if name == b"zTXt":
        return _unpacked(body[1:]) if body[:1] == b"\0" else b""
    if name == b"iTXt":  # whether it is packed, how, a language, the keyword translated, and the text
        parts = body[2:].split(b"\0", 2)
        text = parts[2] if len(parts) == 3 else b""
        return text if body[:1] == b"\0" else _unpacked(text)
    return body


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _TEXT_BYTES_MAX)
    except zlib.error:
        return b""


def _from_raw_profile(text: bytes) -> bytes:
    """Return EXIF as ImageMagick writes it: an empty line, its name, its length, and then hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.decode("latin-1").split("\n")[3:]))
    except ValueError:
        return b""
