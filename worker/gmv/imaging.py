"""Image files into pixels, within limits that are checked on the header before anything is decoded.

What a file can hold beyond plain RGB is settled here, once, for training images and generated ones alike:

- an animation counts as its first frame;
- the orientation in EXIF is applied;
- transparency is laid over white;
- 16-bit greys keep their upper 8 bits, 16-bit colours too;
- palettes, greys and CMYK become RGB; colour profiles are not applied.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gmv.errors import Poison, Reason

JPEG_SCANS_MAX = 100
"""A progressive JPEG has about 10; a file of 20 MB could hold a million, each a pass over all pixels."""

PIXELS_OPENED_MAX = 178_956_970
"""Pillow opens no larger file in any case: twice its `MAX_IMAGE_PIXELS`, which is left as it is."""

_DETAIL_CHARACTERS_MAX = 200

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # `ImageLimits` refuses, not warns


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest file, in bytes, and the largest width times height that is decoded."""

    bytes_max: int
    pixels_max: int


def decode_image(content: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    """Decode a PNG, JPEG or WEBP file.

    Returns:
        uint8 [height, width, 3], RGB, C-contiguous and writable.

    Raises:
        Poison: `image_refused` for another format or above a limit, `image_corrupt` for a damaged or cut-off file.
    """
    if len(content) > limits.bytes_max:
        raise Poison(Reason.IMAGE_REFUSED, f"the image has {len(content):,} bytes, {limits.bytes_max:,} are allowed")
    name = _format(content)
    if name == "JPEG" and content.count(b"\xff\xda") > JPEG_SCANS_MAX:
        raise Poison(Reason.IMAGE_REFUSED, f"the JPEG has more than {JPEG_SCANS_MAX} scans")
    try:
        with Image.open(io.BytesIO(content), formats=(name,)) as image:
            _check_size(image, limits)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return np.array(_to_rgb(image))
    except (Poison, MemoryError):  # want of memory is this machine's fault, not the file's
        raise
    except Image.DecompressionBombError:
        raise _too_large(f"more than {PIXELS_OPENED_MAX:,} pixels", limits) from None
    except UnidentifiedImageError:
        raise Poison(Reason.IMAGE_CORRUPT, f"the header of the {name} is damaged or cut off") from None
    except Exception as error:  # noqa: BLE001 - the codecs raise a dozen kinds on crafted bytes
        raise Poison(Reason.IMAGE_CORRUPT, f"the {name} is damaged or cut off ({_short(error)})") from None


def _format(content: bytes) -> str:
    """Find the format by the file's first bytes, so that no codec but the right one sees them."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    raise Poison(Reason.IMAGE_REFUSED, f"the image is {'not a PNG, JPEG or WEBP file' if content else 'empty'}")


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    pixels = image.width * image.height
    if pixels > limits.pixels_max:
        raise _too_large(f"{image.width:,} x {image.height:,} = {pixels:,} pixels", limits)


def _too_large(size: str, limits: ImageLimits) -> Poison:
    return Poison(Reason.IMAGE_REFUSED, f"the image has {size}, {limits.pixels_max:,} are allowed")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    transparent = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(transparent, mask=transparent.getchannel("A"))
    return flat


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_DETAIL_CHARACTERS_MAX]
