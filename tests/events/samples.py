"""Events to test with: builders, and strategies over all that an event may say."""

import dataclasses
import io
from typing import Any

import numpy as np
import orjson
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from gmv.events.json_text import JsonPart
from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
NUMBERS = st.floats(-1_000, 1_000, width=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
METADATA = {
    "integer": b'{"seed": 1180591620717411303425}',
    "digits": b'{"n": ' + b"7" * 5_000 + b"}",
    "not finite": b'{"a": NaN, "b": [-Infinity, Infinity], "c": 1e999}',
    "of other languages": b'{"a": nan, "b": None, "c": -inf}',
    "surrogate": b'{"prompt": "cut emoji \\ud83d", "\\udc00": "}"}',
    "bytes": b'{"prompt": "cut off \xf0\x9f", "surrogate": "\xed\xa0\xbd"}',
    "tab": b'{"prompt": "a\tb"}',
    "names twice": b'{"a": 1, "a": 2}',
    "spelling": b'{ "x" : -0.0 , "y":1E5,"z":"\\u0061\\/" }',
    "brackets in text": b'{"a": "]}\\\\", "b": "\\"}"}',
    "deep": b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "array": b"[1, [], {}]",
    "text": b'"a prompt"',
    "number": b"0",
}
"""What producers put there, by what is odd about it; the last of them are no objects."""


@st.composite
def features(draw: st.DrawFn) -> EventFeatures:
    vector = draw(arrays.arrays(np.float32, st.integers(1, 5), elements=NUMBERS))
    tokens = draw(arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=NUMBERS))
    return EventFeatures(draw(NAMES), vector, tokens)


EVENTS = st.builds(
    GeneratedImage,
    source=NAMES,
    event_id=NAMES,
    content=st.builds(ImageBytes, st.binary(max_size=64)) | st.builds(ImageUri, NAMES) | features(),
    quality=st.floats(0, 1),
    model=st.none() | NAMES,
    traceparent=st.none() | st.from_regex(r"00-[0-9a-f]{31}[1-9a-f]-[0-9a-f]{15}[1-9a-f]-[0-9a-f]{2}", fullmatch=True),
    time=st.sampled_from([None, "2026-10-01T12:00:00.123456789+02:00", "1999-12-31t23:59:60z"]),
    metadata=st.none() | st.dictionaries(NAMES, JSON, max_size=3).map(orjson.dumps).map(JsonPart),
)


def png(colour: str = "red", size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def envelope(**changes: Any) -> dict[str, Any]:
    """A valid event in structured mode, with changes; an ellipsis removes the field."""
    told = {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": "/generator",
        "id": "event-1",
        "data": {"image": {"uri": "file:///images/a.png"}},
        **changes,
    }
    return {name: value for name, value in told.items() if value is not ...}


def line(**changes: Any) -> bytes:
    return orjson.dumps(envelope(**changes))


def with_metadata(text: bytes) -> bytes:
    """A valid event with that as its metadata, byte for byte."""
    return line(data={"image": {"uri": "file:///images/a.png"}, "metadata": None}).replace(b"null", text)


def plain(event: GeneratedImage) -> dict[str, Any]:
    """All that an event says but its payload digest, in values that compare with ==."""
    told = {field.name: getattr(event, field.name) for field in dataclasses.fields(event) if field.name != "payload"}
    if isinstance(event.content, EventFeatures):
        vector, tokens = event.content.vector, event.content.tokens
        told["content"] = (event.content.encoder_id, vector.tobytes(), tokens.shape, tokens.tobytes())
    return told
