"""Events as producers write them; `decode` reads both forms back to the same event."""

import base64
from typing import Any, NamedTuple

import orjson

from gmv.events.cloudevents import ATTRIBUTE_PREFIX, CONTENT_TYPE, JSON_CONTENT
from gmv.events.features import features_to_wire
from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri
from gmv.events.wire import WireImage

SPEC_VERSION = "1.0"


class KafkaMessage(NamedTuple):
    """A record to be sent."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def structured(event: GeneratedImage) -> bytes:
    """Return the whole event as one JSON object on one line: CloudEvents' structured mode."""
    return orjson.dumps({**_attributes(event), "datacontenttype": JSON_CONTENT, "data": _data(event)})


def binary(event: GeneratedImage) -> KafkaMessage:
    """Return the event with its attributes as headers: Kafka's binary mode. The key is the event id."""
    headers = [(ATTRIBUTE_PREFIX + name, text.encode()) for name, text in _attributes(event).items()]
    return KafkaMessage(
        event.event_id.encode(), orjson.dumps(_data(event)), [*headers, (CONTENT_TYPE, JSON_CONTENT.encode())]
    )


def _attributes(event: GeneratedImage) -> dict[str, str]:
    attributes = {
        "specversion": SPEC_VERSION,
        "type": EVENT_TYPE,
        "source": event.source,
        "id": event.event_id,
        "partitionkey": event.event_id,
    }
    if event.traceparent is not None:
        attributes["traceparent"] = event.traceparent
    return attributes


def _data(event: GeneratedImage) -> dict[str, Any]:
    told: dict[str, Any] = _content(event.content)
    if event.quality != 1.0:
        told["quality"] = event.quality
    if event.model is not None:
        told["model"] = event.model
    if event.metadata:
        told["metadata"] = dict(event.metadata)
    return told


def _content(content: ImageBytes | ImageUri | EventFeatures) -> dict[str, Any]:
    match content:
        case ImageBytes():
            image = WireImage(bytes=base64.b64encode(content.content).decode())
        case ImageUri():
            image = WireImage(uri=content.uri)
        case EventFeatures():
            return {"features": features_to_wire(content).model_dump()}
    return {"image": image.model_dump(exclude_none=True)}
