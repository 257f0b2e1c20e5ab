"""Pictures inside a report: small image files as data URIs."""

import base64
import io
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from PIL import Image

from gmv.corpus.port import Corpus, image_files

SIDE_PIXELS_MAX: Final = 160  # a report shows pictures at up to 144 CSS pixels
_KEPT_BYTES_MAX: Final = 16_384
_MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture for a page.

    Attributes:
        uri: `data:` URI.
        is_small: it is shown larger than it is, so that its pixels should be seen as squares, not as a blur.
    """

    uri: str
    is_small: bool


def thumbnail(content: bytes) -> Thumbnail:
    """Return an image file as a data URI, shrunk where it is larger than a page shows it.

    Raises:
        OSError: the bytes are no PNG, JPEG or WEBP that Pillow can read.
    """
    with Image.open(io.BytesIO(content), formats=tuple(_MEDIA_TYPES)) as image:
        media_type = _MEDIA_TYPES[str(image.format)]
        is_small = max(image.size) <= SIDE_PIXELS_MAX // 2
        if max(image.size) > SIDE_PIXELS_MAX or len(content) > _KEPT_BYTES_MAX:
            image.thumbnail((SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
            shrunk = io.BytesIO()
            image.convert("RGB").save(shrunk, format="WEBP", quality=85)
            media_type, content = _MEDIA_TYPES["WEBP"], shrunk.getvalue()
    return Thumbnail(f"data:{media_type};base64,{base64.b64encode(content).decode()}", is_small)


def training_thumbnails(corpus: Corpus, image_ids: Collection[str]) -> dict[str, Thumbnail]:
    """Read the corpus once and return the pictures of the images asked for, by image id; damaged ones are left out."""
    pictures = {}
    for image in image_files(corpus):
        if image.image_id in image_ids:
            with suppress(OSError, Image.DecompressionBombError):
                pictures[image.image_id] = thumbnail(image.content)
    return pictures
