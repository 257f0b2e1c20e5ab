"""Formats of image files, told by their first bytes: those that are read, and others by their names."""

from typing import Final

from gmv.errors import Poison, Reason

FIRST_BYTES: Final = 32
"""So many of a file's bytes tell its format."""

_READ: Final = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}
_BY_START: Final = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\1\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"qoif", "QOI"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\3\4", "ZIP"),
    (b"PAR1", "Parquet"),
)
_BY_BRAND: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
    b"isom": "MP4",
    b"mp42": "MP4",
}


def image_format(start: bytes) -> str | None:
    """Return PNG, JPEG or WEBP where a file begins as one, else None; no codec but the right one sees the file.

    Args:
        start: the file, or its first `FIRST_BYTES`.
    """
    for name, first in _READ.items():
        if start.startswith(first):
            return name
    return "WEBP" if start.startswith(b"RIFF") and start[8:12] == b"WEBP" else None


def refused_format(start: bytes) -> Poison:
    """Return the refusal of a file that `image_format` does not know, by the name of what it is.

    Args:
        start: the file, or its first `FIRST_BYTES`.
    """
    if not start:
        return Poison(Reason.IMAGE_REFUSED, "the image is empty")
    found = _other_format(start)
    named = f" but {found}" if found else ""
    return Poison(Reason.IMAGE_REFUSED, f"the image is not a PNG, JPEG or WEBP file{named}")


def _other_format(start: bytes) -> str | None:
    if start[4:8] == b"ftyp":
        return _BY_BRAND.get(start[8:12].lower())
    return next((name for first, name in _BY_START if start.startswith(first)), None)
