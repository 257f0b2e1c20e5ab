"""The AsyncAPI document: valid as such, and true of the records that gmv writes and reads."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import faust
import orjson
import pytest
from hypothesis import given
from jsonschema import Draft7Validator, Draft202012Validator

from gmv.errors import Poison, Reason
from gmv.events.encoding import KafkaMessage, binary, structured_message
from gmv.events.model import GeneratedImage
from gmv.events.trace_context import TraceContext
from gmv.kafka.outbox import KafkaOutbox
from gmv.kafka.topics import planned
from gmv.settings import KafkaSettings, Settings
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition, Record
from tests.events.samples import EVENTS
from tools.asyncapi import document

FOLDER = Path(__file__).parents[2] / "schemas"
META = Draft7Validator(orjson.loads((Path(__file__).parent / "asyncapi" / "3.0.0.schema.json").read_bytes()))
DOCUMENT = orjson.loads((FOLDER / "asyncapi.json").read_bytes())
MESSAGES = DOCUMENT["components"]["messages"]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_it_is_an_asyncapi_document() -> None:
    assert [error.message for error in META.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "3"),
        (("channels", "events", "messages", "binary"), {}),
        (("operations", "credit", "action"), "read"),
        (("info",), {"title": "gmv"}),
    ],
)
def test_what_is_none_is_told_from_it(path: tuple[str, ...], value: Any) -> None:
    """The validator is of use: it finds what was spoilt."""
    spoilt = orjson.loads(orjson.dumps(DOCUMENT))
    *parents, last = path
    place = spoilt
    for name in parents:
        place = place[name]
    place[last] = value if value != {} else {"$ref": 5}
    assert list(META.iter_errors(spoilt))


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return found + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    for reference in references(DOCUMENT):
        if reference.startswith("#/"):
            place = DOCUMENT
            for name in reference.removeprefix("#/").split("/"):
                place = place[name]
        else:
            assert (FOLDER / reference).is_file(), reference


def test_channels_are_the_topics_of_the_settings() -> None:
    kafka = KafkaSettings(topic="other")
    addresses = [channel["address"].replace("{topic}", kafka.topic) for channel in DOCUMENT["channels"].values()]
    assert addresses == [kafka.topic, kafka.receipts_topic, kafka.dead_letters_topic]
    for channel, topic in zip(DOCUMENT["channels"].values(), planned(Settings(), 1, 1.0), strict=True):
        told = channel["bindings"]["kafka"]["topicConfiguration"]
        as_text = {name: value[0] if isinstance(value, list) else str(value) for name, value in told.items()}
        assert as_text.items() <= dict(topic.configs).items()
        assert "max.message.bytes" in as_text or channel["address"].endswith(".attributions")


def conforms(name: str, headers: list[tuple[str, bytes]], value: bytes | None) -> bool:
    described = MESSAGES[name]
    told = {key: each.decode() for key, each in headers}
    payload = described["payload"]
    if not Draft202012Validator(described["headers"]).is_valid(told):
        return False
    if "schema" not in payload:
        return True
    schema = orjson.loads((FOLDER / payload["schema"]["$ref"]).read_bytes())
    return Draft202012Validator(schema).is_valid(orjson.loads(value or b""))


@given(event=EVENTS)
def test_events_that_gmv_writes_conform_in_both_modes(event: GeneratedImage) -> None:
    for name, message in (
        ("generatedImageBinary", binary(event)),
        ("generatedImageStructured", structured_message(event)),
    ):
        assert conforms(name, message.headers, message.value)
        assert message.key == event.event_id.encode()


@given(event=EVENTS)
def test_an_event_without_one_of_its_attributes_does_not(event: GeneratedImage) -> None:
    message: KafkaMessage = binary(event)
    for missing in ("ce_specversion", "ce_type", "ce_source", "ce_id"):
        headers = [(name, value) for name, value in message.headers if name != missing]
        assert not conforms("generatedImageBinary", headers, message.value)


def sent_by_the_outbox(receipts: Sequence[SealedReceipt], letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    class Producer:
        async def send(self, *told: Any) -> Any:
            sent.append(dict(zip(("topic", "key", "value", "partition", "timestamp", "headers"), told, strict=True)))

            async def acknowledged() -> None:
                return None

            return acknowledged()

    class App:
        async def maybe_start_producer(self) -> Producer:
            return Producer()

    outbox = KafkaOutbox(cast(faust.App, App()), KafkaSettings())
    asyncio.run(outbox.publish(Partition("events", 0), receipts, letters))
    return sent


@pytest.mark.parametrize("trace", [None, TraceContext(TRACE), TraceContext(TRACE, "a=1")])
def test_receipts_that_gmv_writes_conform(trace: TraceContext | None) -> None:
    (told,) = sent_by_the_outbox([SealedReceipt(b"event", b"{}", trace)], [])
    headers = dict(told["headers"])
    assert Draft202012Validator(MESSAGES["receipt"]["headers"]).is_valid({k: v.decode() for k, v in headers.items()})
    assert {name: headers[name] for name in headers.keys() - {"content-type"}} == (trace.headers() if trace else {})


@pytest.mark.parametrize("record", [Record(7, b"{broken", b"key", (("own", b"1"),)), Record(8, None, None)])
def test_dead_letters_that_gmv_writes_conform(record: Record) -> None:
    (told,) = sent_by_the_outbox([], [DeadLetter(record, Poison(Reason.MALFORMED_JSON, "broken"))])
    assert conforms("deadLetter", told["headers"], None)
    assert dict(told["headers"])["gmv.dlq.payload_sha256"].decode() == hashlib.sha256(record.value or b"").hexdigest()


def test_what_is_generated_is_what_is_in_the_folder() -> None:
    assert document() == DOCUMENT, "run `python -m tools.schemas`"
