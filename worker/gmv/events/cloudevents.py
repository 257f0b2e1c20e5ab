"""CloudEvents 1.0 out of records: Kafka's binary mode, and structured mode, which JSON lines are, too."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gmv.errors import Poison, Reason
from gmv.events.base64_text import bytes_from_base64, is_data_uri
from gmv.events.event_time import TIME, unix_milliseconds
from gmv.events.features import features_from_wire
from gmv.events.headers import ATTRIBUTE_PREFIX, CONTENT_TYPE, spelling_hint
from gmv.events.json_text import JsonPart
from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri
from gmv.events.parsing import (
    DATA,
    DATA_BASE64,
    DATA_CONTENT_TYPE,
    DETAIL_CHARACTERS_MAX,
    METADATA,
    parse_data,
    parse_event,
)
from gmv.events.payload import payload_digest
from gmv.events.trace_context import TRACEPARENT, TRACESTATE, TraceContext, is_traceparent, trace_context
from gmv.events.wire import WireAttributes, WireData, WireImage

JSON_CONTENT = "application/json"
STRUCTURED_CONTENT = "application/cloudevents+json"
BATCH_CONTENT = "application/cloudevents-batch+json"

_DATA_URI = "data.image.uri is a data URI; put it into data.image.bytes, which holds base64"
_URI = (DATA, "image", "uri")
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
    value is the whole event as one JSON object; otherwise attributes are headers and the value is the data. A whole
    event has `data`, or `data_base64` that holds the same as JSON.

    Raises:
        Poison: `malformed_json`, `unsupported_type`, `invalid_features`, or `invalid_event` for all else that is
            missing or wrong; the detail names the attribute or field, and headers in another spelling.
    """
    if value is None:
        raise _invalid("the record has no value; a tombstone is no event")
    try:
        attributes, data, text, path = _told(value, headers)
    except Poison as poison:
        if hint := spelling_hint(headers):
            raise Poison(poison.reason, f"{hint}; {poison.detail}"[:DETAIL_CHARACTERS_MAX]) from None
        raise
    return _event(attributes, data, text, path)


def _told(value: bytes, headers: Headers) -> tuple[WireAttributes, Any, bytes, tuple[str, ...]]:
    """Return attributes, data, and in which text and under which names the metadata is, if there is any."""
    named = _named_headers(headers)
    content_type = _media_type(named.get(CONTENT_TYPE))
    if content_type == BATCH_CONTENT:
        raise _invalid(f"{CONTENT_TYPE} is {BATCH_CONTENT}, several events in one; send one event per record")
    if content_type == STRUCTURED_CONTENT or not any(name.startswith(ATTRIBUTE_PREFIX) for name in named):
        found = parse_event(value)
        attributes = _attributes(found)
        if found.get(DATA_BASE64) is not None:
            content = _data_in_base64(found)
            return attributes, parse_data(content, DATA_BASE64), content, (METADATA,)
        return attributes, found.get(DATA), value, (DATA, METADATA)
    if content_type != JSON_CONTENT:
        raise _invalid(f"{CONTENT_TYPE} is {content_type!r}; gmv reads {JSON_CONTENT} and {STRUCTURED_CONTENT}")
    data = parse_data(value, DATA)
    attributes = _attributes({name.removeprefix(ATTRIBUTE_PREFIX): text for name, text in named.items()})
    return attributes, data, value, (METADATA,)


def _media_type(content_type: Any) -> str:
    """Return it in lower case, without parameters; CloudEvents takes for JSON what says nothing."""
    return content_type.partition(";")[0].strip().lower() if isinstance(content_type, str) else JSON_CONTENT


def _data_in_base64(attributes: Mapping[str, Any]) -> bytes:
    """Return the bytes that are the data: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#31-handling-of-data."""
    text = attributes[DATA_BASE64]
    if attributes.get(DATA) is not None:
        raise _invalid(f"{DATA} and {DATA_BASE64} are both there, of which CloudEvents allows one; leave out one")
    if not isinstance(text, str):
        raise _invalid(f"{DATA_BASE64} should be a string")
    if (media_type := _media_type(attributes.get(DATA_CONTENT_TYPE))) != JSON_CONTENT:
        raise _invalid(
            f"{DATA_CONTENT_TYPE} is {media_type!r}; {DATA_BASE64} should hold JSON ({JSON_CONTENT}) as {DATA} has it: "
            "an image goes into data.image.bytes"
        )
    return _bytes_of(text, DATA_BASE64)


def trace_of(headers: Headers) -> TraceContext | None:
    """Return which trace a record belongs to: as its headers say, or else the event's own attribute among them.

    The header is of the last sender of the record, the attribute (CloudEvents' extension for tracing) of the program
    that made the event; an attribute inside a structured event is in the receipt alone.
    """
    return trace_context(headers) or trace_context(headers, ATTRIBUTE_PREFIX)


def _named_headers(headers: Headers) -> dict[str, str]:
    """Return the headers that belong to CloudEvents, as text; of those for tracing, what is valid."""
    if not headers:
        return {}
    ours = [
        (name, value)
        for name, value in headers
        if name == CONTENT_TYPE or (name.startswith(ATTRIBUTE_PREFIX) and name not in _TRACING)
    ]
    if len(dict(ours)) < len(ours):
        name, count = Counter(name for name, _ in ours).most_common(1)[0]
        raise _invalid(f"header {name} is there {count} times")
    try:
        named = {name: value.decode() for name, value in ours if value is not None}
    except UnicodeDecodeError as error:
        raise _invalid(f"a header is not UTF-8 ({error.reason})") from None
    trace = trace_context(headers, ATTRIBUTE_PREFIX)
    return named | ({ATTRIBUTE_PREFIX + TRACEPARENT: trace.traceparent} if trace else {})


def _attributes(found: Mapping[str, Any]) -> WireAttributes:
    kind = found.get("type")
    if isinstance(kind, str) and kind != EVENT_TYPE:
        raise Poison(Reason.UNSUPPORTED_TYPE, f"type is {kind[:DETAIL_CHARACTERS_MAX]!r}; gmv credits {EVENT_TYPE}")
    present = {name: value for name, value in found.items() if value is not None}
    if not is_traceparent(present.get(TRACEPARENT)):  # W3C: a wrong one is as good as none
        present.pop(TRACEPARENT, None)
    if unix_milliseconds(present.get(TIME)) is None:  # it decides nothing, so it costs an event nothing
        present.pop(TIME, None)
    return _validate(WireAttributes, present, ())


def _event(attributes: WireAttributes, data: Any, text: bytes, path: tuple[str, ...]) -> GeneratedImage:
    if data is None:
        raise _invalid("data is missing")
    if isinstance(data, str):
        raise _invalid("data is a JSON string; write the object itself, not its text in quotes")
    wire = _validate(WireData, data, (DATA,))
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
        time=attributes.time,
        metadata=None if wire.metadata is None else JsonPart(text, path),
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
            if is_data_uri(uri):
                raise _invalid(_DATA_URI)
            return ImageUri(uri)
        case None, str(text):
            return ImageBytes(_bytes_of(text, "data.image.bytes"))
    raise _invalid("data.image should have either uri or bytes")


def _bytes_of(text: str, where: str) -> bytes:
    try:
        return bytes_from_base64(text)
    except ValueError as error:
        raise _invalid(f"{where} is not base64 ({error})") from None


def _validate(model: type[Model], data: Any, where: tuple[str, ...]) -> Model:
    """Check types and limits; the first thing that is wrong is named."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    place = (*where, *first["loc"])
    if place == _URI and is_data_uri(str(first["input"])):  # it may be too long for a URI
        raise _invalid(_DATA_URI)
    name = ".".join(map(str, place))
    says = _SENTENCES.get(first["type"], f"is wrong: {first['msg']}")
    reason = Reason.INVALID_FEATURES if place[:2] == ("data", "features") else Reason.INVALID_EVENT
    raise Poison(reason, f"{name} {says}"[:DETAIL_CHARACTERS_MAX])


def _invalid(detail: str) -> Poison:
    return Poison(Reason.INVALID_EVENT, detail[:DETAIL_CHARACTERS_MAX])
