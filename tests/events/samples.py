"""Events to test with: builders, and strategies over all that an event may say."""

import dataclasses
import io
from typing import Any

import numpy as np
import orjson
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from gmv.events.model import EVENT_TYPE, EventFeatures, GeneratedImage, ImageBytes, ImageUri

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
NUMBERS = st.floats(-1_000, 1_000, width=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


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
    metadata=st.dictionaries(NAMES, JSON, max_size=3),
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


def plain(event: GeneratedImage) -> dict[str, Any]:
    """All that an event says but its payload digest, in values that compare with ==."""
    told = {field.name: getattr(event, field.name) for field in dataclasses.fields(event) if field.name != "payload"}
    if isinstance(event.content, EventFeatures):
        vector, tokens = event.content.vector, event.content.tokens
        told["content"] = (event.content.encoder_id, vector.tobytes(), tokens.shape, tokens.tobytes())
    return told
