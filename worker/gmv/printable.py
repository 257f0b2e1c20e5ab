"""Text of others, made fit to be stored and printed: owners, events, files and servers are named by anybody.

Python reads the bytes of a file's name that are no UTF-8 as lone surrogates, which neither UTF-8 nor JSON can write. A
terminal obeys control characters: they move its cursor, hide a line, or set its title.
"""

import re
from typing import Final

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NOT_IN_JSON: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NOT_PRINTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters of both sets, ends of lines and paragraphs, what turns the direction of writing around, and
surrogates. U+200C to U+200F stay: names in Persian, Hindi and Hebrew are written with them, and they move nothing."""

_BYTE: Final = range(0xDC80, 0xDD00)  # the surrogates that stand for bytes from 0x80 on


def encodable(text: str) -> str:
    r"""Return the text as UTF-8 can write it: a byte that was none becomes `\xe9`."""
    return _SURROGATES.sub(_escaped, text)


def printable(text: str) -> str:
    r"""Return the text on one line, with nothing in it that a terminal obeys: ESC becomes `\x1b`, a new line `\n`."""
    return _NOT_PRINTED.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """Return the same of a text whose lines are its own, such as a traceback."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: bytes) -> bytes:
    """Return the same JSON, in which what orjson leaves as it is, though a terminal obeys it, is escaped."""
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if code in _BYTE else found[0].encode("unicode_escape").decode()
