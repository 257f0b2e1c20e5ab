"""CloudEvents 1.0 out of records: Kafka's binary mode, and structured mode, which JSON lines are, too."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from gmv.errors import Poison, Reason
from gmv.events.features import bytes_from_base64, features_from_wire
from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri
from gmv.events.payload import payload_digest
from gmv.events.trace_context import TRACEPARENT, TRACESTATE, TraceContext, is_traceparent, trace_context
from gmv.events.wire import WireAttributes, WireData, WireImage

CONTENT_TYPE = "content-type"
ATTRIBUTE_PREFIX = "ce_"
JSON_CONTENT = "application/json"
STRUCTURED_CONTENT = "application/cloudevents+json"

_DETAIL_CHARACTERS_MAX = 300
_TRACING = frozenset({ATTRIBUTE_PREFIX + TRACEPARENT, ATTRIBUTE_PREFIX + TRACESTATE})

_SENTENCES = {
    "missing": "is missing",
    "string_pattern_mismatch": "is empty or has control characters",
    "model_type": "should be a JSON object",
}

Headers = Sequence[tuple[str, bytes | None]]
Model = TypeVar("Model", bound=BaseModel)


def decode(value: bytes | None, headers: Headers = ()) -> GeneratedImage:
    """Read one event.

    Headers decide the mode: a content type of `application/cloudevents+json`, or no `ce_` header, means that the
    value is the whole event as one JSON object; otherwise attributes are headers and the value is the data.

    Raises:
        Poison: `malformed_json`, `unsupported_type`, `invalid_features`, or `invalid_event` for all else that is
            missing or wrong; the detail names the attribute or field.
    """
    if value is None:
        raise _invalid("the record has no value; a tombstone is no event")
    named = _named_headers(headers)
    content_type = named.get(CONTENT_TYPE, JSON_CONTENT).partition(";")[0].strip().lower()
    if content_type == STRUCTURED_CONTENT or not any(name.startswith(ATTRIBUTE_PREFIX) for name in named):
        attributes: Mapping[str, Any] = _parse(value, "the event")
        data = attributes.get("data")
    elif content_type == JSON_CONTENT:
        attributes = {name.removeprefix(ATTRIBUTE_PREFIX): text for name, text in named.items()}
        data = _parse(value, "data")
    else:
        raise _invalid(f"{CONTENT_TYPE} is {content_type!r}; gmv reads {JSON_CONTENT} and {STRUCTURED_CONTENT}")
    return _event(_attributes(attributes), data)


def trace_of(headers: Headers) -> TraceContext | None:
    """Return which trace a record belongs to: as its headers say, or else the event's own attribute among them.

    The header is of the last sender of the record, the attribute (CloudEvents' extension for tracing) of the program
    that made the event; an attribute inside a structured event is in the receipt alone.
    """
    return trace_context(headers) or trace_context(headers, ATTRIBUTE_PREFIX)


def _named_headers(headers: Headers) -> dict[str, str]:
    """Return the headers that belong to CloudEvents, as text; of those for tracing, what is valid."""
    ours = [
        (name, value)
        for name, value in headers
        if name == CONTENT_TYPE or (name.startswith(ATTRIBUTE_PREFIX) and name not in _TRACING)
    ]
    for name, count in Counter(name for name, _ in ours).items():
        if count > 1:
            raise _invalid(f"header {name} is there {count} times")
    try:
        named = {name: value.decode() for name, value in ours if value is not None}
    except UnicodeDecodeError as error:
        raise _invalid(f"a header is not UTF-8 ({error.reason})") from None
    trace = trace_context(headers, ATTRIBUTE_PREFIX)
    return named | ({ATTRIBUTE_PREFIX + TRACEPARENT: trace.traceparent} if trace else {})


def _parse(value: bytes, what: str) -> dict[str, Any]:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Poison(Reason.MALFORMED_JSON, f"{what} is not JSON: {error}"[:_DETAIL_CHARACTERS_MAX]) from None
    if not isinstance(found, dict):
        raise _invalid(f"{what} should be a JSON object")
    return found


def _attributes(found: Mapping[str, Any]) -> WireAttributes:
    kind = found.get("type")
    if isinstance(kind, str) and kind != EVENT_TYPE:
        raise Poison(Reason.UNSUPPORTED_TYPE, f"type is {kind[:_DETAIL_CHARACTERS_MAX]!r}; gmv credits {EVENT_TYPE}")
    present = {name: value for name, value in found.items() if value is not None}
    if not is_traceparent(present.get(TRACEPARENT)):  # W3C: a wrong one is as good as none
        present.pop(TRACEPARENT, None)
    return _validate(WireAttributes, present, ())


def _event(attributes: WireAttributes, data: Any) -> GeneratedImage:
    if data is None:
        raise _invalid("data is missing")
    wire = _validate(WireData, data, ("data",))
    content = _content(wire)
    quality = 1.0 if wire.quality is None else wire.quality
    return GeneratedImage(
        source=attributes.source,
        event_id=attributes.id,
        content=content,
        quality=quality,
        payload=payload_digest(content, quality),
        model=wire.model,
        traceparent=attributes.traceparent,
        metadata=wire.metadata or {},
    )


def _content(data: WireData) -> ImageBytes | ImageUri | EventFeatures:
    match data.image, data.features:
        case WireImage() as image, None:
            return _image(image)
        case None, features if features is not None:
            return features_from_wire(features)
    raise _invalid("data should have either image or features")


def _image(image: WireImage) -> ImageBytes | ImageUri:
    match image.uri, image.bytes:
        case str(uri), None:
            return ImageUri(uri)
        case None, str(text):
            try:
                return ImageBytes(bytes_from_base64(text))
            except ValueError as error:
                raise _invalid(f"data.image.bytes is not base64 ({error})") from None
    raise _invalid("data.image should have either uri or bytes")


def _validate(model: type[Model], data: Any, where: tuple[str, ...]) -> Model:
    """Check types and limits; the first thing that is wrong is named."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = (*where, *first["loc"])
    name = ".".join(map(str, place))
    says = _SENTENCES.get(first["type"], f"is wrong: {first['msg']}")
    reason = Reason.INVALID_FEATURES if place[:2] == ("data", "features") else Reason.INVALID_EVENT
    raise Poison(reason, f"{name} {says}"[:_DETAIL_CHARACTERS_MAX])


def _invalid(detail: str) -> Poison:
    return Poison(Reason.INVALID_EVENT, detail[:_DETAIL_CHARACTERS_MAX])
