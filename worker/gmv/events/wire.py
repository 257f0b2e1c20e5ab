"""The event as it is written: CloudEvents attributes and data, as JSON. `schemas/` is generated from here.

Types are strict, so "0.5" is no number and true is no 1. Unknown fields are tolerated and never decide a credit.
A null counts as an absent field, which CloudEvents demands of attributes.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gmv.events.model import EVENT_TYPE

NAME_CHARACTERS_MAX = 1_024
URI_CHARACTERS_MAX = 4_096
TOKENS_MAX = 1_024
"""The assignment problem of n tokens takes n^3 steps: at 1,024, seconds per training image."""

_VISIBLE = r"^[^\u0000-\u001f\u007f-\u009f]+$"

Name = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX, pattern=_VISIBLE)]
Uri = Annotated[str, Field(max_length=URI_CHARACTERS_MAX, pattern=_VISIBLE)]
Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
Quality = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Length = Annotated[int, Field(gt=0)]


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def _either(**kinds: str) -> dict[str, Any]:
    """JSON Schema's way to say that one of these fields is given, and only one; each with its type."""
    return {"oneOf": [{"required": [name], "properties": {name: {"type": kind}}} for name, kind in kinds.items()]}


class WireImage(_Wire):
    """An image file, PNG, JPEG or WEBP: where it is, or what is in it. One of the two."""

    model_config = ConfigDict(json_schema_extra=_either(uri="string", bytes="string"))

    uri: Uri | None = Field(None, description="file URI, or another scheme that the worker allows")
    bytes: Base64 | None = Field(None, description="the file itself")


class WireFeatures(_Wire):
    """What the index's own encoder sees in the image; numbers are little-endian, rows one after the other."""

    encoder: Name = Field(description="id of the encoder, as `gmv index info` tells it")
    vector: Base64 = Field(description="[D] numbers, of unit length")
    tokens: Base64 = Field(description="[n, d] numbers")
    shape: Annotated[list[Length], Field(min_length=2, max_length=2)] = Field(
        description=f"[n, d] of the tokens; n at most {TOKENS_MAX:,}"
    )
    dtype: Literal["float32", "float16"] | None = Field(None, description="of vector and tokens; float32 if not told")


class WireData(_Wire):
    """One generated image: the image or its features, one of the two, and what is told about it."""

    model_config = ConfigDict(json_schema_extra=_either(image="object", features="object"))

    image: WireImage | None = None
    features: WireFeatures | None = None
    quality: Quality | None = Field(None, description="scales the credits of this event; 1 if not told")
    model: Name | None = Field(None, description="name of the generator")
    metadata: Any = Field(None, description="the producer's own, of any kind; never decides a credit")


class WireAttributes(_Wire):
    """The CloudEvents attributes that gmv reads; `source` and `id` together name the event."""

    specversion: Literal["1.0"]
    type: Annotated[str, Field(json_schema_extra={"const": EVENT_TYPE})]
    source: Name
    id: Name
    traceparent: str | None = Field(None, description="W3C trace context, handed on to the receipt")
    time: str | None = Field(
        None, description="when the image was made (RFC 3339), handed on to the receipt; a wrong one is as good as none"
    )


class WireEvent(WireAttributes):
    """A whole event as one JSON object: CloudEvents' structured mode."""

    model_config = ConfigDict(json_schema_extra=_either(data="object", data_base64="string"))

    data: WireData | None = None
    data_base64: Base64 | None = Field(None, description="the data as JSON in base64, in place of `data`")
