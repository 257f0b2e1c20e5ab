"""Pictures inside a report: small image files as data URIs."""

import base64
import io
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from PIL import Image

from gmv.corpus.port import Corpus, image_files
from gmv.errors import Poison
from gmv.imaging.decode import ImageLimits, decode_image, without_metadata
from gmv.imaging.formats import image_format

SIDE_PIXELS_MAX: Final = 160  # a report shows pictures at up to 144 CSS pixels
_KEPT_BYTES_MAX: Final = 16_384
_UPRIGHT: Final = 1
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


def thumbnail(content: bytes, limits: ImageLimits) -> Thumbnail:
    """Return an image file as a data URI, shrunk where it is larger than a page shows it.

    It is read as for an index, and what else the file says, such as where it was taken, is left out.

    Raises:
        Poison: it is no PNG, JPEG or WEBP, is damaged, or is above a limit.
    """
    image = Image.fromarray(decode_image(content, limits))
    bare = without_metadata(content)
    shown, media_type = bare.content, _MEDIA_TYPES[str(image_format(content))]
    is_small = max(image.size) <= SIDE_PIXELS_MAX // 2
    if max(image.size) > SIDE_PIXELS_MAX or len(shown) > _KEPT_BYTES_MAX or bare.orientation != _UPRIGHT:
        image.thumbnail((SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
        shrunk = io.BytesIO()
        image.save(shrunk, format="WEBP", quality=85)
        shown, media_type = shrunk.getvalue(), _MEDIA_TYPES["WEBP"]
    return Thumbnail(f"data:{media_type};base64,{base64.b64encode(shown).decode()}", is_small)


def training_thumbnails(corpus: Corpus, image_ids: Collection[str], limits: ImageLimits) -> dict[str, Thumbnail]:
    """Read the corpus once and return the pictures of the images asked for, by image id; damaged ones are left out."""
    pictures = {}
    for image in image_files(corpus):
        if image.image_id in image_ids:
            with suppress(Poison):
                pictures[image.image_id] = thumbnail(image.content, limits)
    return pictures
