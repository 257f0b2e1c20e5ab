"""The event as the rest of gmv sees it, after its envelope, types and limits were checked."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmv.events.json_text import JsonPart

EVENT_TYPE = "gmv.image.generated.v1"


@dataclass(frozen=True, slots=True)
class ImageBytes:
    """An image file carried in the event itself."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ImageUri:
    """An image file to be read from a place the settings allow."""

    uri: str


@dataclass(frozen=True, slots=True)
class EventFeatures:
    """Features the producer computed with the index's own encoder.

    Attributes:
        encoder_id: of the encoder that made them.
        vector: float32 [D].
        tokens: float32 [n, d].
    """

    encoder_id: str
    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One generated image to be attributed.

    Attributes:
        source: CloudEvents source; with `event_id` it identifies the event.
        event_id: CloudEvents id.
        content: what there is to look at.
        quality: in [0, 1], scales the event's budget.
        payload: 8 bytes, digest of what the event says (data alone, not the envelope).
        model: the generator's name, if given.
        traceparent: W3C trace context, if given.
        time: CloudEvents time as it was written, if given and valid; never part of a credit.
        metadata: the producer's own, if given, as it was written; never part of a credit.
    """

    source: str
    event_id: str
    content: ImageBytes | ImageUri | EventFeatures
    quality: float = 1.0
    payload: bytes = bytes(8)
    model: str | None = None
    traceparent: str | None = None
    time: str | None = None
    metadata: JsonPart | None = None

    @property
    def identity(self) -> bytes:
        """16 bytes in place of (source, id)."""
        return identity_of(self.source, self.event_id)


def identity_of(source: str, event_id: str) -> bytes:
    """Return 16 bytes: BLAKE2b-128 over source and id, length-prefixed so that no two pairs collide."""
    encoded = source.encode()
    prefix = len(encoded).to_bytes(4, "big")
    return hashlib.blake2b(prefix + encoded + event_id.encode(), digest_size=16).digest()
