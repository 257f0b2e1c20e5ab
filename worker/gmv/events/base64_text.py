"""Base64 as it is met in events: by RFC 4648, and the ways of writing it that leave no doubt which bytes are meant."""

import binascii
import re
from typing import Final

_DATA_URI: Final = "data:"
_LINE_BREAKS: Final = str.maketrans("", "", "\r\n\t")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_STRAY: Final = re.compile(r"[^A-Za-z0-9+/_=\r\n\t-]")
_REASONS: Final = {
    " ": "a space, which may stand for a + that was lost on the way",
    "%": "a %, so it is percent-encoded; decode that first",
    "\\": "a backslash, so its line breaks were escaped twice",
}
_CUT_OFF: Final = "its last characters are missing"


def is_data_uri(text: str) -> bool:
    """Say whether a text is a URI that holds what it stands for (RFC 2397)."""
    return text[: len(_DATA_URI)].lower() == _DATA_URI


def bytes_from_base64(text: str) -> bytes:
    """Decode base64.

    Read as well: line breaks and tabs (MIME, PEM), the URL-safe alphabet, padding that is missing, and all of these
    behind `data:image/png;base64,`. What could mean other bytes, or may have lost some, is refused: spaces, both
    alphabets in one text, padding inside it, and a last character that says that more should follow.

    Raises:
        ValueError: it is not base64; says what is wrong.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return _tolerant(text)


def _tolerant(text: str) -> bytes:
    if is_data_uri(text):
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("a data URI without ;base64, before its text")
    if stray := _STRAY.search(text):
        what = _REASONS.get(stray[0], ascii(stray[0]))
        raise ValueError(f"character {stray.start() + 1:,} is {what}")
    text = text.translate(_LINE_BREAKS)
    if any(character in text for character in "-_") and any(character in text for character in "+/"):
        raise ValueError("it mixes - and _ with + and /, which belong to two alphabets")
    body = text.rstrip("=").translate(_URL_SAFE)
    if "=" in body:
        raise ValueError("it goes on after a =, as two texts do that were joined")
    wanted = -len(body) % 4
    if wanted == 3:  # 6 bits are no byte
        raise ValueError(_CUT_OFF)
    content = binascii.a2b_base64(body + "=" * wanted, strict_mode=True)
    is_padded = text.endswith("=" * wanted)
    if not is_padded and binascii.b2a_base64(content, newline=False).decode().rstrip("=") != body:
        raise ValueError(_CUT_OFF)
    return content
