"""Features as an event writes them: base64 of little-endian numbers."""

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmv.errors import Poison, Reason
from gmv.events.base64_text import bytes_from_base64
from gmv.events.model import EventFeatures
from gmv.events.wire import TOKENS_MAX, WireFeatures

VALUE_MAX = float(np.finfo(np.float16).max)
"""65,504: the index keeps tokens as float16, and squares of numbers this size still add up in float32."""

_DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


def features_from_wire(wire: WireFeatures) -> EventFeatures:
    """Read the numbers.

    Raises:
        Poison: `invalid_features` where base64, shape or a number is wrong. Whether the encoder is the index's own
            is known, and asked, later.
    """
    dtype = _DTYPES[wire.dtype or "float32"]
    if wire.shape[0] > TOKENS_MAX:
        raise _invalid("shape", f"says {wire.shape[0]:,} tokens, {TOKENS_MAX:,} are allowed")
    vector = _numbers("vector", wire.vector, dtype)
    tokens = _numbers("tokens", wire.tokens, dtype)
    if not vector.size:
        raise _invalid("vector", "is empty")
    if tokens.size != math.prod(wire.shape):
        raise _invalid("tokens", f"has {tokens.size:,} numbers of {dtype.name}, the shape {wire.shape} asks for others")
    return EventFeatures(wire.encoder, vector, tokens.reshape(wire.shape))


def features_to_wire(features: EventFeatures) -> WireFeatures:
    """Write the numbers as float32, which loses nothing."""
    return WireFeatures(
        encoder=features.encoder_id,
        vector=_base64(features.vector),
        tokens=_base64(features.tokens),
        shape=list(features.tokens.shape),
        dtype="float32",
    )


def _numbers(name: str, text: str, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    try:
        content = bytes_from_base64(text)
    except ValueError as error:
        raise _invalid(name, f"is not base64 ({error})") from None
    if len(content) % dtype.itemsize:
        raise _invalid(name, f"has {len(content):,} bytes, which is no whole number of {dtype.name}")
    numbers = np.frombuffer(content, dtype).astype(np.float32)
    if not (np.abs(numbers) <= VALUE_MAX).all():  # false for NaN, too
        raise _invalid(name, f"holds numbers that are not finite or beyond ±{VALUE_MAX:,.0f}")
    return numbers


def _base64(numbers: NDArray[np.float32]) -> str:
    return base64.b64encode(numbers.astype(_DTYPES["float32"]).tobytes()).decode()


def _invalid(name: str, what: str) -> Poison:
    return Poison(Reason.INVALID_FEATURES, f"data.features.{name} {what}")
