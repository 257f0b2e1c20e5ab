import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import Poison, Reason
from gmv.events.cloudevents import Headers, decode
from gmv.events.encoding import binary_of_structured
from gmv.events.json_text import JsonPart
from gmv.events.model import ImageBytes, ImageUri
from tests.events.samples import JSON, NAMES, envelope, line

URI = {"uri": "file:///images/a.png"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def poison(value: bytes | None, headers: Headers = ()) -> Poison:
    with pytest.raises(Poison) as caught:
        decode(value, headers)
    return caught.value


def test_a_line_of_json_is_an_event() -> None:
    data = {"image": URI, "quality": 0.5, "model": "sd", "metadata": {"a": 1}}

    event = decode(line(data=data, traceparent=TRACE))

    assert (event.source, event.event_id, event.content) == ("/generator", "event-1", ImageUri(URI["uri"]))
    assert (event.quality, event.model, event.traceparent) == (0.5, "sd", TRACE)
    assert event.metadata == JsonPart(b'{"a":1}')


def test_headers_and_a_body_are_an_event() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_type", b"gmv.image.generated.v1"), ("ce_source", b"/g")]
    headers += [("ce_id", "é".encode()), ("content-type", b"application/json; charset=utf-8"), ("other", b"\xff")]

    event = decode(orjson.dumps({"image": {"bytes": base64.b64encode(b"abc").decode()}}), headers)

    assert (event.source, event.event_id, event.content) == ("/g", "é", ImageBytes(b"abc"))


def test_structured_mode_is_told_by_the_content_type_whatever_other_headers_say() -> None:
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8"), ("ce_id", b"ignored")]

    assert decode(line(), headers).event_id == "event-1"


@pytest.mark.parametrize("name", ["quality", "model", "metadata", "features"])
def test_a_null_is_an_absent_field(name: str) -> None:
    assert decode(line(subject=None, traceparent=None, data={"image": URI, name: None})) == decode(line())


@pytest.mark.parametrize("trace", ["", "00-xyz", TRACE.upper(), TRACE + "-more", 7, [TRACE]])
def test_a_wrong_trace_is_as_good_as_none(trace: object) -> None:
    assert decode(line(traceparent=trace)).traceparent is None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "line 1 column 1"),
        (b'{"id": "a",}', "line 1 column 11"),
        (b'{"id":\n NaN}', "line 2 column 2"),
        (line()[:-20], "line 1"),
        (b"\xff\xfe", "UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b"[" * 5_000, "depth"),
    ],
)
def test_broken_json_is_told_with_its_place(value: bytes, says: str) -> None:
    found = poison(value)

    assert found.reason == Reason.MALFORMED_JSON
    assert says in found.detail


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": ...}, "id is missing"),
        ({"id": None}, "id is missing"),
        ({"id": ""}, "id is empty"),
        ({"id": 7}, "id is wrong"),
        ({"id": "a\nb"}, "id is empty or has control characters"),
        ({"id": "x" * 1_025}, "id is wrong: String should have at most 1024"),
        ({"source": ...}, "source is missing"),
        ({"source": "\x85"}, "source is empty or has control characters"),
        ({"specversion": ...}, "specversion is missing"),
        ({"specversion": "0.3"}, "specversion is wrong"),
        ({"type": ...}, "type is missing"),
        ({"type": 1}, "type is wrong"),
        ({"data": ...}, "data is missing"),
        ({"data": None}, "data is missing"),
        ({"data": [1]}, "data should be a JSON object"),
        ({"data": {}}, "either image or features"),
        ({"data": {"image": {}}}, "either uri or bytes"),
        ({"data": {"image": {"uri": "a:b", "bytes": ""}}}, "either uri or bytes"),
        ({"data": {"image": "a.png"}}, "data.image should be a JSON object"),
        ({"data": {"image": {"uri": 1}}}, "data.image.uri is wrong"),
        ({"data": {"image": {"uri": "a:\0"}}}, "data.image.uri is empty or has control"),
        ({"data": {"image": {"uri": "a:" + "b" * 5_000}}}, "data.image.uri is wrong"),
        ({"data": {"image": {"bytes": "YWJ"}}}, "data.image.bytes is not base64"),
        ({"data": {"image": {"bytes": "YW Jj"}}}, "data.image.bytes is not base64"),
        ({"data": {"image": {"bytes": "é"}}}, "data.image.bytes is not base64"),
        ({"data": {"image": URI, "quality": "0.5"}}, "data.quality is wrong"),
        ({"data": {"image": URI, "quality": True}}, "data.quality is wrong"),
        ({"data": {"image": URI, "quality": 1.01}}, "data.quality is wrong"),
        ({"data": {"image": URI, "quality": -1e-9}}, "data.quality is wrong"),
        ({"data": {"image": URI, "model": 1}}, "data.model is wrong"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], says: str) -> None:
    found = poison(line(**changes))

    assert found.reason == Reason.INVALID_EVENT
    assert says in found.detail


def test_another_type_is_not_ours() -> None:
    found = poison(line(type="gmv.image.generated.v2"))

    assert found.reason == Reason.UNSUPPORTED_TYPE
    assert "gmv.image.generated.v2" in found.detail


@pytest.mark.parametrize("value", [None, b"7", b"[]", b"null"])
def test_what_is_no_object_is_no_event(value: bytes | None) -> None:
    assert poison(value).reason == Reason.INVALID_EVENT


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (("ce_id", b"again"), "ce_id is there 2 times"),
        (("content-type", b"application/json"), "content-type is there 2 times"),
        (("ce_subject", b"\xff"), "not UTF-8"),
    ],
)
def test_headers_that_leave_a_doubt_are_refused(header: tuple[str, bytes], says: str) -> None:
    message = binary_of_structured(line())

    found = poison(message.value, [*message.headers, header])

    assert found.reason == Reason.INVALID_EVENT
    assert says in found.detail


def test_a_header_without_a_value_is_missing() -> None:
    message = binary_of_structured(line())
    headers = [(name, None if name == "ce_id" else value) for name, value in message.headers]

    assert "id is missing" in poison(message.value, headers).detail


@pytest.mark.parametrize("content_type", [b"application/avro", b"application/cloudevents-batch+json", b"text/plain"])
def test_another_content_type_is_named(content_type: bytes) -> None:
    message = binary_of_structured(line())
    headers = [(name, content_type if name == "content-type" else value) for name, value in message.headers]

    assert content_type.decode() in poison(message.value, headers).detail


@given(value=st.binary(max_size=80) | JSON.map(orjson.dumps), names=st.lists(st.sampled_from(["ce_id", "x"])))
def test_any_bytes_give_an_event_or_poison(value: bytes, names: list[str]) -> None:
    found = poison(value, [(name, value) for name in names])

    assert len(found.detail) <= 300


@given(path=st.lists(NAMES, max_size=2), wrong=JSON)
def test_unknown_fields_anywhere_change_nothing(path: list[str], wrong: object) -> None:
    unknown = {f"unknown {name}": wrong for name in path}
    told = envelope(data={"image": {**unknown, **URI}, **unknown}, **{f"x{i}": wrong for i in range(len(path))})

    assert decode(orjson.dumps(told)) == decode(line())
