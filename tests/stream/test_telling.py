"""What of a record goes into its receipt beside what decides credits, and that the chain is none the worse for it."""

import orjson
import pytest

from gmv.events.json_text import JsonPart
from gmv.events.model import GeneratedImage, ImageBytes, ImageUri
from gmv.stream.records import Record
from gmv.stream.telling import METADATA_BYTES_MAX, PICTURE_CHARACTERS_MAX, told_by
from gmv.valuation.attribution import value_contributors
from gmv.valuation.receipt import Receipt, batch_id, receipt, seal, unseal
from gmv.valuation.told import Telling
from gmv.valuation.types import Candidate
from tests.events.samples import METADATA


def with_metadata(text: bytes) -> GeneratedImage:
    return GeneratedImage("/s", "e", ImageBytes(b""), metadata=JsonPart(text))


def made(told: Telling) -> Receipt:
    return receipt(
        source="/s",
        event_id="e",
        topic="t",
        partition=0,
        offset=0,
        previous_batch="",
        index_id="i",
        settings_digest="s",
        attribution=value_contributors([Candidate("x", "ada", 1.0, 0.5)], 1.0, 1.0),
        traceparent=None,
        told=told,
    )


def test_a_record_that_tells_nothing_has_the_receipt_that_it_always_had() -> None:
    told = told_by(Record(0, b""), GeneratedImage("/s", "e", ImageBytes(b"")))
    assert told == Telling()
    assert set(made(told)) == {
        *("event", "position", "previous_batch", "index", "settings", "quality", "temperature", "contributors"),
        "micros",
    }


def test_all_that_a_record_tells() -> None:
    event = GeneratedImage(
        *("/s", "e", ImageUri("https://ada:secret@host.example/a/b.png?signature=secret#x")),
        model="m",
        time="2026-10-01T00:00:00Z",
        metadata=JsonPart(b'{"name": "b.png"}'),
    )
    told = told_by(Record(0, b"", timestamp_ms=7), event)
    assert told.keys() == {
        "time": "2026-10-01T00:00:00Z",
        "record_timestamp_ms": 7,
        "model": "m",
        "picture": "https://host.example/a/b.png",
        "metadata": {"name": "b.png"},
    }
    assert made(told)["metadata"] == {"name": "b.png"}
    assert "secret" not in str(made(told))


@pytest.mark.parametrize("timestamp_ms", [-1, -(2**40), 2**62])
def test_a_timestamp_that_is_no_time_is_not_told(timestamp_ms: int) -> None:
    assert told_by(Record(0, b"", timestamp_ms=timestamp_ms), with_metadata(b"1")).record_timestamp_ms is None


@pytest.mark.parametrize(
    "uri", ["file:///" + "a" * PICTURE_CHARACTERS_MAX, "http://[::1", "http://[x]/a.png", "?only=a-query"]
)
def test_a_uri_that_is_too_long_or_none_is_not_told(uri: str) -> None:
    assert told_by(Record(0, b""), GeneratedImage("/s", "e", ImageUri(uri))).picture is None


HOSTILE = [
    b'"' + b"x" * METADATA_BYTES_MAX + b'"',
    b"NaN",
    b'{"a": "\\ud800"}',
    b"[" * 400 + b"]" * 400,
    b"[" * 253 + b"]" * 253,
]
ODD = [
    b"[" * 200 + b"]" * 200,
    b"18446744073709551616",
    b"1e400",
    b"-0.0",
    b"1E5",
    b'{"a": 1, "a": 2}',
    b'"\\u00e9\\u0000"',
    b"[1.10, 1e-320, 123456789012345678901234567890]",
    b"false",
    b'""',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_metadata_that_is_long_or_that_no_receipt_can_hold_is_left_out(text: bytes) -> None:
    assert "metadata" not in made(told_by(Record(0, b""), with_metadata(text)))


def test_how_long_metadata_may_be_is_a_setting() -> None:
    record, event = Record(0, b""), with_metadata(b'{"name": "b.png"}')
    assert [told_by(record, event, bytes_max).metadata for bytes_max in (0, 16, 17)] == [None, None, {"name": "b.png"}]


@pytest.mark.parametrize("text", [*ODD, *HOSTILE, *METADATA.values()])
def test_a_batch_with_any_metadata_is_found_whole_by_who_reads_it(text: bytes) -> None:
    name, (line,) = seal([made(told_by(Record(0, b""), with_metadata(text)))])
    found, size, read = unseal(line)
    assert (found, size) == (name, 1)
    assert batch_id([read]) == name
    assert orjson.loads(line)["batch"] == name
