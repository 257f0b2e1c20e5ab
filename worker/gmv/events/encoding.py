"""Events as producers write them; `decode` reads both modes back to the same event."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gmv.events.base64_text import bytes_from_base64
from gmv.events.cloudevents import JSON_CONTENT, STRUCTURED_CONTENT
from gmv.events.features import features_to_wire
from gmv.events.headers import ATTRIBUTE_PREFIX, CONTENT_TYPE
from gmv.events.json_text import JsonPart, members
from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri
from gmv.events.parsing import DATA, DATA_BASE64, DATA_CONTENT_TYPE, METADATA
from gmv.events.payload import payload_digest

SPEC_VERSION = "1.0"
KEY_ATTRIBUTE = "partitionkey"

_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class KafkaMessage(NamedTuple):
    """A record to be sent."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def event_of_image(
    content: bytes,
    source: str,
    event_id: str,
    quality: float = 1.0,
    model: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> GeneratedImage:
    """Return the event of a generated image file, as it will be read back."""
    image = ImageBytes(content)
    payload = payload_digest(image, quality)
    kept = JsonPart(orjson.dumps(metadata)) if metadata else None
    return GeneratedImage(source, event_id, image, quality, payload, model, metadata=kept)


def structured(event: GeneratedImage) -> bytes:
    """Return the whole event as one JSON object on one line: CloudEvents' structured mode.

    Raises:
        ValueError: the quality is not within [0, 1].
    """
    return orjson.dumps(_envelope(event))


def structured_message(event: GeneratedImage) -> KafkaMessage:
    """Return the event in structured mode. The key is the event id."""
    headers = [(CONTENT_TYPE, STRUCTURED_CONTENT.encode())]
    return KafkaMessage(event.event_id.encode(), structured(event), headers)


def binary(event: GeneratedImage) -> KafkaMessage:
    """Return the event with its attributes as headers: Kafka's binary mode. The key is the event id.

    Raises:
        ValueError: the quality is not within [0, 1].
    """
    texts = {name: orjson.dumps(value) for name, value in _envelope(event).items()}
    return _in_headers(texts, texts[DATA])


def binary_of_structured(event: bytes) -> KafkaMessage:
    """Turn structured mode into binary mode; data and attributes that gmv does not know are kept as they are written.

    Args:
        event: the JSON object of an event that `decode` accepts. The key is its `partitionkey`, or its id.
    """
    last = {member.name: event[member.start : member.end] for member in members(event)}
    told = {name: value for name, value in last.items() if value != b"null"}
    return _in_headers(told, told[DATA] if DATA in told else bytes_from_base64(orjson.loads(told[DATA_BASE64])))


def _in_headers(told: Mapping[str, bytes], data: bytes) -> KafkaMessage:
    """Return a record in binary mode; attributes are given as JSON."""
    attributes = {
        name: _header(value) for name, value in told.items() if name not in {DATA, DATA_BASE64, DATA_CONTENT_TYPE}
    }
    headers = [(ATTRIBUTE_PREFIX + name, value) for name, value in attributes.items()]
    return KafkaMessage(
        key=attributes.get(KEY_ATTRIBUTE) or attributes["id"],
        value=data,
        headers=[*headers, (CONTENT_TYPE, JSON_CONTENT.encode())],
    )


def _header(value: bytes) -> bytes:
    """Return an attribute's text: CloudEvents writes true and false, and numbers as JSON does."""
    try:
        return str(orjson.loads(value)).encode() if value.startswith(b'"') else value
    except orjson.JSONDecodeError:  # half of a surrogate pair: a header cannot hold it but in JSON
        return value


def _envelope(event: GeneratedImage) -> dict[str, Any]:
    envelope = {
        "specversion": SPEC_VERSION,
        "type": EVENT_TYPE,
        "source": event.source,
        "id": event.event_id,
        KEY_ATTRIBUTE: event.event_id,
        "datacontenttype": JSON_CONTENT,
    }
    if event.traceparent is not None:
        envelope["traceparent"] = event.traceparent
    if event.time is not None:
        envelope["time"] = event.time
    return {**envelope, "data": _data(event)}


def _data(event: GeneratedImage) -> dict[str, Any]:
    if not 0.0 <= event.quality <= 1.0:  # of NaN, JSON would make a null, and the reader a quality of 1
        raise ValueError(f"quality is {event.quality}, not within [0, 1]")
    data: dict[str, Any] = _content(event.content)
    if event.quality != 1.0:
        data["quality"] = event.quality
    if event.model is not None:
        data["model"] = event.model
    if event.metadata is not None:
        data[METADATA] = orjson.Fragment(event.metadata.text.translate(_ON_ONE_LINE))
    return data


def _content(content: ImageBytes | ImageUri | EventFeatures) -> dict[str, Any]:
    match content:
        case ImageBytes():
            return {"image": {"bytes": base64.b64encode(content.content).decode()}}
        case ImageUri():
            return {"image": {"uri": content.uri}}
        case EventFeatures():
            return {"features": features_to_wire(content).model_dump()}
