"""Under which licence an image is, as its file says: XMP first, then EXIF."""

from collections.abc import Mapping, Sequence
from typing import Final

from PIL import Image

from gmv.rights.said import short
from gmv.rights.xmp import CC_LICENCE, RIGHTS, USAGE_TERMS, WEB_STATEMENT

_COPYRIGHT_TAG: Final = 0x8298
_IN_ORDER: Final = (CC_LICENCE, WEB_STATEMENT, USAGE_TERMS, RIGHTS)


def licence_of(properties: Mapping[str, Sequence[str]], exif: bytes) -> str | None:
    """Return a licence or copyright statement on one line; None where there is none that can be read.

    Args:
        properties: of the XMP.
        exif: a TIFF structure, perhaps damaged.
    """
    of_xmp = next((properties[name][0] for name in _IN_ORDER if properties.get(name)), "")
    return short(of_xmp or _copyright(exif)) or None


def _copyright(block: bytes) -> str:
    if not block:
        return ""
    exif = Image.Exif()
    try:
        exif.load(block)
        return str(exif.get(_COPYRIGHT_TAG, "")).replace("\0", " ")
    except Exception:  # noqa: BLE001 - Pillow raises many kinds on crafted bytes, and a licence is no duty
        return ""
