"""The digest of what an event says, by which a re-sent event differs from another under the same id."""

import hashlib
import struct
from collections.abc import Iterator

from gmv.events.model import EventFeatures, ImageBytes, ImageUri


def payload_digest(content: ImageBytes | ImageUri | EventFeatures, quality: float) -> bytes:
    """Return 8 bytes: BLAKE2b-64 over all of the event that decides its credits, and nothing else.

    Every part goes in with its length before it, and numbers as float32, so neither the mode, the order of keys nor
    the precision the numbers were sent in makes a difference.
    """
    digest = hashlib.blake2b(struct.pack("<d", quality + 0.0), digest_size=8)  # + 0.0 makes one zero of -0.0 and 0.0
    for part in _parts(content):
        digest.update(struct.pack("<Q", len(part)))
        digest.update(part)
    return digest.digest()


def _parts(content: ImageBytes | ImageUri | EventFeatures) -> Iterator[bytes]:
    match content:
        case ImageBytes():
            yield from (b"bytes", content.content)
        case ImageUri():
            yield from (b"uri", content.uri.encode())
        case EventFeatures():
            yield from (b"features", content.encoder_id.encode(), struct.pack("<2Q", *content.tokens.shape))
            yield from (content.vector.astype("<f4").tobytes(), content.tokens.astype("<f4").tobytes())
