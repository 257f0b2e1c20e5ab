import base64
import re
from contextlib import suppress

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from gmv.errors import Poison
from gmv.events.base64_text import bytes_from_base64
from gmv.events.cloudevents import decode
from gmv.events.model import ImageBytes
from tests.events.samples import line

PREFIXES = ["", "data:image/png;base64,", "DATA:;BASE64,", "data:image/jpeg;name=a.jpg;base64,"]


@st.composite
def spelt(draw: st.DrawFn, content: bytes) -> str:
    """Base64 of the content in one of the ways that are met."""
    text = (base64.urlsafe_b64encode if draw(st.booleans()) else base64.b64encode)(content).decode()
    text = text[: len(text) - draw(st.integers(0, text.count("=")))]
    width, end = draw(st.sampled_from([4, 7, 64, 76])), draw(st.sampled_from(["", "\n", "\r\n", "\n\t"]))
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    return draw(st.sampled_from(PREFIXES)) + end.join(lines) + draw(st.sampled_from(["", "\n", "\r\n"]))


@seed(15)
@given(content=st.binary(max_size=200), data=st.data())
def test_every_way_to_write_bytes_gives_these_bytes(content: bytes, data: st.DataObject) -> None:
    text = data.draw(spelt(content))

    assert bytes_from_base64(text) == content
    event = decode(line(data={"image": {"bytes": text}}))
    plain = decode(line(data={"image": {"bytes": base64.b64encode(content).decode()}}))
    assert event == plain
    assert event.content == ImageBytes(content)
    assert event.payload == plain.payload


@seed(15)
@given(content=st.binary(min_size=1, max_size=100), is_url_safe=st.booleans(), data=st.data())
def test_text_that_was_cut_off_gives_no_other_bytes(content: bytes, is_url_safe: bool, data: st.DataObject) -> None:
    text = (base64.urlsafe_b64encode if is_url_safe else base64.b64encode)(content).decode()
    cut = text[: data.draw(st.integers(0, len(text)))]
    with suppress(ValueError):
        found = bytes_from_base64(cut)
        assert content.startswith(found), "a beginning, of which an image's decoder says that it is cut off"


@seed(15)
@given(text=st.text("AZaz09+/-_=\r\n\t ,.:;%\\é", max_size=30))
def test_any_text_gives_the_bytes_it_stands_for_or_a_reason(text: str) -> None:
    try:
        found = bytes_from_base64(text)
    except ValueError:
        return
    stands_for = re.sub(r"[\r\n\t]|=+\s*$", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    assert len(found) == len(stands_for) * 6 // 8
    assert base64.b64encode(found).decode().rstrip("=")[: len(found) * 8 // 6] == stands_for[: len(found) * 8 // 6]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("YW Jj", "character 3 is a space, which may stand for a +"),
        (" YWJj", "character 1 is a space"),
        ("YWJj%3D", "percent-encoded"),
        ("YWJj\\n", "line breaks were escaped twice"),
        ("YWJjé", r"character 5 is '\\xe9'"),
        ("\ufeffYWJj", r"character 1 is '\\ufeff'"),
        ("+A-A", "mixes"),
        ("_A/A", "mixes"),
        ("YQ==YQ==", "goes on after a ="),
        ("YWJ", "missing"),
        ("YWJjY", "missing"),
        ("-_8\nYWJjYW", "missing"),
        ("data:image/png,YWJj", "without ;base64"),
        ("data:image/png;base64", "without ;base64"),
    ],
)
def test_what_leaves_a_doubt_is_named(text: str, says: str) -> None:
    with pytest.raises(Poison, match=rf"data\.image\.bytes is not base64 \(.*{says}"):
        decode(line(data={"image": {"bytes": text}}))
