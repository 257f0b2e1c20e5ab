import base64
from typing import Any

import numpy as np
import pytest

from gmv.errors import Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.features import VALUE_MAX
from gmv.events.model import EventFeatures
from gmv.events.wire import TOKENS_MAX
from tests.events.samples import line

VECTOR = np.array([0.6, 0.8], "<f4")
TOKENS = np.arange(6, dtype="<f4").reshape(2, 3)


def base64_of(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.tobytes()).decode()


def told(**changes: Any) -> bytes:
    features = {"encoder": "e", "vector": base64_of(VECTOR), "tokens": base64_of(TOKENS), "shape": [2, 3], **changes}
    return line(data={"features": {name: value for name, value in features.items() if value is not ...}})


def read(**changes: Any) -> EventFeatures:
    content = decode(told(**changes)).content
    assert isinstance(content, EventFeatures)
    return content


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_numbers_of_both_sizes_become_float32(dtype: str) -> None:
    features = read(
        dtype=dtype,
        vector=base64_of(np.array([0.5, -0.25], dtype).astype(f"<{np.dtype(dtype).str[1:]}")),
        tokens=base64_of(TOKENS.astype(f"<{np.dtype(dtype).str[1:]}")),
    )

    assert features.vector.dtype == features.tokens.dtype == np.float32
    assert features.vector.tolist() == [0.5, -0.25]
    assert features.tokens.tolist() == TOKENS.tolist()


def test_the_size_of_the_numbers_is_no_part_of_what_an_event_says() -> None:
    small = {"dtype": "float16", "vector": base64_of(np.array([0.5], "<f2")), "tokens": base64_of(TOKENS.astype("<f2"))}

    assert decode(told(**small)).payload == decode(told(vector=base64_of(np.array([0.5], "<f4")))).payload


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encoder": ...}, "encoder is missing"),
        ({"encoder": ""}, "encoder is empty"),
        ({"vector": ...}, "vector is missing"),
        ({"vector": ""}, "vector is empty"),
        ({"vector": [0.6, 0.8]}, "vector is wrong"),
        ({"vector": "%%%%"}, "vector is not base64"),
        ({"vector": base64_of(VECTOR)[:-4]}, "vector has"),
        ({"vector": base64_of(np.array([1, np.nan], "<f4"))}, "vector holds numbers that are not finite"),
        ({"tokens": base64_of(np.full((2, 3), np.inf, "<f4"))}, "tokens holds numbers that are not finite"),
        ({"tokens": base64_of(np.full((2, 3), -VALUE_MAX * 1.001, "<f4"))}, "tokens holds numbers"),
        ({"tokens": base64_of(TOKENS.astype("<f2"))}, "the shape [2, 3] asks for others"),
        ({"shape": [3, 3]}, "the shape [3, 3] asks for others"),
        ({"shape": [6]}, "shape is wrong"),
        ({"shape": [1, 2, 3]}, "shape is wrong"),
        ({"shape": [0, 3]}, "shape.0 is wrong"),
        ({"shape": [-2, -3]}, "shape.0 is wrong"),
        ({"shape": [2.0, 3.0]}, "shape.0 is wrong"),
        ({"shape": [2**62, 2**62]}, "tokens, 1,024 are allowed"),
        ({"shape": [TOKENS_MAX + 1, 1]}, "1,025 tokens, 1,024 are allowed"),
        ({"dtype": "float64"}, "dtype is wrong"),
    ],
)
def test_wrong_features_are_poison_and_the_field_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Poison) as caught:
        decode(told(**changes))

    assert caught.value.reason == Reason.INVALID_FEATURES
    assert caught.value.detail.startswith("data.features.")
    assert says in caught.value.detail
