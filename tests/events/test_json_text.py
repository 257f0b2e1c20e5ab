import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.events.json_text import JsonPart, is_one_object, members, value_end
from tests.events.samples import JSON, NAMES

OBJECTS = st.dictionaries(NAMES, JSON, max_size=4)
LAYOUTS = st.sampled_from([None, 0, 2])


def written(value: object, indent: int | None, is_ascii: bool) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode()


@given(told=OBJECTS, indent=LAYOUTS, is_ascii=st.booleans(), mark=st.sampled_from([b"", b"\xef\xbb\xbf", b" \n"]))
def test_an_object_falls_into_its_members(
    told: dict[str, object], indent: int | None, is_ascii: bool, mark: bytes
) -> None:
    """The oracle is Python's own parser."""
    text = mark + written(told, indent, is_ascii)

    found = [(name, json.loads(text[start:end])) for name, start, end in members(text)]

    assert found == list(told.items())
    assert is_one_object(text + b" \n")
    assert not is_one_object(text + b"x")


@given(outer=OBJECTS, name=NAMES, told=JSON, indent=LAYOUTS)
def test_a_part_is_byte_for_byte_what_was_written(
    outer: dict[str, object], name: str, told: object, indent: int | None
) -> None:
    inner = written(told, indent, True)
    text = written({**outer, name: {"between": 0, name: "here"}}, indent, True).replace(b'"here"', inner)

    assert JsonPart(text, (name, name)).text == inner
    assert JsonPart(inner).text == inner


def test_of_a_name_that_is_there_twice_the_last_counts_as_for_the_parser() -> None:
    text = b'{"a":{"b":1},"a":{"b":2,"\\u0062":3}}'

    assert orjson.loads(text) == {"a": {"b": 3}}
    assert JsonPart(text, ("a", "b")).text == b"3"


BROKEN = rb"""
{
[
[]
{"a"}
{"a":1,}
{"a":1 "b":2}
{a:1}
{'a':1}
{"a":[}
{"a":"\"}
"""


@pytest.mark.parametrize("text", BROKEN.splitlines())
def test_what_is_no_object_is_told(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"not JSON|brackets"):
        list(members(text))


@given(text=st.binary(max_size=60) | st.text('{}[]",:\\1a ', max_size=40).map(str.encode))
def test_any_bytes_have_an_extent_or_none(text: bytes) -> None:
    try:
        end = value_end(text, 0)
    except ValueError:
        return
    assert 0 < end <= len(text)
    try:
        json.loads(text)
    except ValueError:
        return
    assert not text[end:].strip(), "what is JSON ends where it ends"


def test_the_same_text_is_the_same_part() -> None:
    assert JsonPart(b'{"a":[1]}', ("a",)) == JsonPart(b"[1]")
    assert len({JsonPart(b'{"a":[1]}', ("a",)), JsonPart(b"[1]"), JsonPart(b"[2]")}) == 2
    with pytest.raises(ValueError, match="b is missing"):
        _ = JsonPart(b"{}", ("b",)).text
