"""Text of others: what a terminal obeys is escaped, and everything else stays."""

import os
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.printable import encodable, printable, printable_json, printable_lines

TEXTS = st.text() | st.binary().map(os.fsdecode) | st.text(st.characters(max_codepoint=0xA0, exclude_categories=()))
OBEYED = {"Cc", "Cs", "Zl", "Zp"}
TURNED = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


@given(text=TEXTS)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(character) for character in shown} & OBEYED
    assert not set(shown) & TURNED
    shown.encode()


@given(text=TEXTS)
def test_what_utf8_can_write_is_written(text: str) -> None:
    is_utf8 = not any(unicodedata.category(character) == "Cs" for character in text)
    assert (encodable(text) == text) == is_utf8
    encodable(text).encode()


@given(text=st.text(st.characters(exclude_categories=["C", "Z"])))
def test_names_stay_as_they_are(text: str) -> None:
    assert printable(text) == encodable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[bold]ada[/] :smile: \\n", "[bold]ada[/] :smile: \\n"),
        ("\x1b[31mada\x1b]0;title\x07", "\\x1b[31mada\\x1b]0;title\\x07"),
        ("\x9b31mada", "\\x9b31mada"),
        ("ada\r\nben\t\x08\x7f", "ada\\r\\nben\\t\\x08\\x7f"),
        ("ada\u2028ben\u202egnp.exe", "ada\\u2028ben\\u202egnp.exe"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\xe9.png"),
        ("\ud800", "\\ud800"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f469\u200d\U0001f3a8", "\U0001f469\u200d\U0001f3a8"),
    ],
)
def test_how_it_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_lines_where_they_are_the_texts_own() -> None:
    assert printable_lines("a\x1bb\n  c\td\n") == "a\\x1bb\n  c\\td\n"


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_is_the_same_json(text: str) -> None:
    escaped = printable_json(orjson.dumps({text: text}))
    assert orjson.loads(escaped) == {text: text}
    assert printable(escaped.decode()) == escaped.decode()
