"""Formats of image files, told by their first bytes: those that are read, and others by their names."""

import re
from typing import Final

from gmv.errors import Poison, Reason

FIRST_BYTES: Final = 64
"""So many of a file's bytes tell its format."""

_READ: Final = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}
_OTHERS: Final = (
    (rb"GIF8[79]a", "GIF"),
    (rb"BM.{4}\0\0\0\0", "BMP"),  # text may begin with these two letters
    (rb"II[*+]\0|MM\0[*+]", "TIFF"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"\0\0\x01\0[^\0]", "ICO"),
    (rb"8BPS", "PSD"),
    (rb"\x76\x2f\x31\x01", "OpenEXR"),
    (rb"#\?R(ADIANCE|GBE)", "Radiance HDR"),
    (rb"P[1-7]\s", "PNM"),
    (rb"qoif", "QOI"),
    (rb"DDS ", "DDS"),
    (rb"%PDF-", "PDF"),
    (rb"%!PS", "PostScript"),
    (rb"(?i)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--[^>]*-->\s*)?(<svg\b|<!doctype svg)", "SVG"),
    (rb"(?i)(\xef\xbb\xbf)?\s*(<html\b|<!doctype html)", "HTML"),  # what servers say instead of an image
    (rb"(\xef\xbb\xbf)?<\?xml", "XML"),
    (rb"version https://git-lfs", "a pointer of Git LFS"),
    (rb"iVBORw0KGgo", "a PNG in base64"),
    (rb"/9j/", "a JPEG in base64"),
    (rb"UklGR", "a WEBP in base64"),
    (rb"\x1f\x8b", "gzip"),
    (rb"PK\x03\x04", "ZIP"),
    (rb"PAR1", "Parquet"),
    (rb"RIFF.{4}AVI ", "AVI"),
    (rb"\x1a\x45\xdf\xa3", "WebM or Matroska"),
)
_BY_BRAND: Final = (
    (rb"avi[fs]", "AVIF"),
    (rb"hei[cxms]|hev[cxms]", "HEIC"),
    (rb"mif1|msf1", "HEIF"),
    (rb"qt  ", "QuickTime"),
    (rb"iso[m2-9]|mp4[12]|M4V |avc1|3g[gp].", "MP4"),
)


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
    found = _other_format(start[:FIRST_BYTES])
    named = f" but {found}" if found else ""
    return Poison(Reason.IMAGE_REFUSED, f"the image is not a PNG, JPEG or WEBP file{named}")


def _other_format(start: bytes) -> str | None:
    """Return the name of a format; files of one family say which member they are, and which others can read them."""
    if start[4:8] == b"ftyp":
        box = min(int.from_bytes(start[:4], "big"), len(start))
        brands = [start[place : place + 4] for place in (8, *range(16, box - 3, 4))]
        return next((name for like, name in _BY_BRAND if any(re.match(like, brand) for brand in brands)), None)
    return next((name for like, name in _OTHERS if re.match(like, start, re.DOTALL)), None)
