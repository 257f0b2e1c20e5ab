"""What decides no credit costs no event its credit, whatever it is, and stays as it was written."""

import base64

import orjson
import pytest

from gmv.errors import Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.encoding import binary, structured
from gmv.events.json_text import JsonPart
from gmv.events.model import GeneratedImage
from tests.events.samples import METADATA, line, with_metadata

STRUCTURED = [("content-type", b"application/cloudevents+json")]
BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_type", b"gmv.image.generated.v1"),
    ("ce_source", b"/generator"),
    ("ce_id", b"event-1"),
]
EACH = pytest.mark.parametrize("text", METADATA.values(), ids=METADATA)


def in_every_mode(data: bytes) -> list[GeneratedImage]:
    whole = line(data=0).replace(b'"data":0', b'"data": ' + data)
    encoded = line(data=..., data_base64=base64.b64encode(data).decode())
    return [decode(whole), decode(whole, STRUCTURED), decode(encoded), decode(data, BINARY)]


@EACH
def test_metadata_is_kept_byte_for_byte_in_every_mode(text: bytes) -> None:
    events = in_every_mode(b'{"image": {"uri": "a:b"}, "metadata": ' + text + b"}")

    assert [event.metadata for event in events] == [JsonPart(text)] * 4
    assert {event.payload for event in events} == {decode(line(data={"image": {"uri": "a:b"}})).payload}


@EACH
def test_metadata_is_written_as_it_was_read(text: bytes) -> None:
    event = decode(with_metadata(text))
    message = binary(event)

    assert decode(structured(event)) == decode(message.value, message.headers) == event
    assert text in structured(event)
    assert text in message.value


@EACH
def test_fields_and_attributes_that_gmv_does_not_know_are_passed_over(text: bytes) -> None:
    data = b'{"image": {"more": T, "uri": "file:///images/a.png"}, "more": T}'.replace(b"T", text)
    whole = line(data=0).replace(b'"data":0', b'"more":' + text + b',"data":' + data)

    assert decode(whole) == decode(line())


@pytest.mark.parametrize("text", [b"NaN", b'"\\ud83d"', b"1e999", METADATA["deep"]])
def test_a_model_or_trace_that_cannot_be_read_is_as_good_as_absent(text: bytes) -> None:
    named = line(traceparent=None, data={"image": {"uri": "file:///images/a.png"}, "model": None})

    assert decode(named.replace(b"null", text)) == decode(line())


@pytest.mark.parametrize(
    "broken",
    [
        line().replace(b'"event-1"', b'"\\ud83d"'),
        line().replace(b'"file:///images/a.png"', b"NaN"),
        line(data={"image": {"uri": "a:b"}, "quality": 1}).replace(b"1}}", b"NaN}}"),
        line(data={"features": {"encoder": "e"}}).replace(b'"e"', b'"\\udc00"'),
        with_metadata(b"{"),
        with_metadata(b"{'a': 1}"),
        with_metadata(b'{"a": [}'),
        with_metadata(b'{"a": NaN}') + b"}",
        with_metadata(b'{"a": NaN}')[:-1],
        with_metadata(b'{"a": NaN}').replace(b'"id":', b'"id"'),
    ],
)
def test_what_decides_a_credit_has_to_be_json_and_the_whole_an_object(broken: bytes) -> None:
    with pytest.raises(Poison) as caught:
        decode(broken)
    assert caught.value.reason == Reason.MALFORMED_JSON
    assert "line 1 column" in caught.value.detail


def test_what_no_parser_reads_is_given_up_before_it_takes_long() -> None:
    value = with_metadata(b'{"a": NaN, "b": [' + b'"",' * 1_100_000 + b"0]}")

    with pytest.raises(Poison, match="not JSON"):
        decode(value)


def test_a_byte_order_mark_is_no_part_of_an_event() -> None:
    assert decode(b"\xef\xbb\xbf" + line()) == decode(line())
    assert decode(b"\xef\xbb\xbf" + with_metadata(b'{"a":1}')).metadata == JsonPart(b'{"a":1}')


def test_of_a_field_that_is_there_twice_the_last_counts_with_either_reader() -> None:
    for more in (b"1", b"NaN"):
        data = b'{"image": {"uri": "a:b"}, "quality": 0.25, "quality": 0.5, "more": ' + more + b"}"
        assert {event.quality for event in in_every_mode(data)} == {0.5}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data_base64": "e30="}, "data and data_base64 are both there"),
        ({"data": ..., "data_base64": {}}, "data_base64 should be a string"),
        ({"data": ..., "data_base64": "e30"}, "data should have either image or features"),
        ({"data": ..., "data_base64": "e3"}, "data_base64 is not base64"),
        ({"data": ..., "data_base64": "W10="}, "data_base64 is a JSON array"),
        ({"data": ..., "data_base64": "e30=", "datacontenttype": "image/png"}, "datacontenttype is 'image/png'"),
        ({"data": None, "data_base64": None}, "data is missing"),
        ({"data": orjson.dumps({"image": {"uri": "a:b"}}).decode()}, "data is a JSON string"),
        ({"data": {"image": {"uri": "data:image/png;base64,AAAA"}}}, "data.image.uri is a data URI"),
        ({"data": {"image": {"uri": "Data:," + "A" * 5_000}}}, "data.image.uri is a data URI"),
    ],
)
def test_other_ways_to_give_data_are_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(Poison, match=says) as caught:
        decode(line(**changes))
    assert caught.value.reason == Reason.INVALID_EVENT


def test_data_that_is_not_json_in_base64_is_named() -> None:
    with pytest.raises(Poison, match=r"data_base64 is not JSON") as caught:
        decode(line(data=..., data_base64="iVBORw0KGgo="))
    assert caught.value.reason == Reason.MALFORMED_JSON


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", None, 7])
def test_data_in_base64_is_json_of_any_spelling_of_the_type(content_type: object) -> None:
    encoded = base64.b64encode(orjson.dumps({"image": {"uri": "file:///images/a.png"}})).decode()

    assert decode(line(data=None, data_base64=encoded, datacontenttype=content_type)) == decode(line())


@pytest.mark.parametrize("value", [b"[" + line() + b"," + line() + b"]", b"[]", b"[1]"])
def test_a_batch_is_named_by_its_value(value: bytes) -> None:
    with pytest.raises(Poison, match=r"JSON array.*batch.*one event per record.*one event per line"):
        decode(value)


@pytest.mark.parametrize("headers", [[], BINARY])
def test_a_batch_is_named_by_its_content_type(headers: list[tuple[str, bytes]]) -> None:
    batch = ("content-type", b"Application/CloudEvents-Batch+JSON; charset=utf-8")
    with pytest.raises(Poison, match=r"application/cloudevents-batch\+json.*one event per record"):
        decode(b"[]", [*headers, batch])
