"""Image files into pixels, within limits that are checked on the header before anything is decoded.

What a file can hold beyond plain RGB is settled here, once, for training images and generated ones alike:

- an animation counts as its first frame;
- the orientation in EXIF or XMP is applied; nothing else of them, of texts and of colour profiles is read;
- transparency is laid over white;
- 16-bit greys keep their upper 8 bits, 16-bit colours too;
- palettes, greys and CMYK become RGB; colour profiles are not applied.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gmv.errors import Poison, Reason
from gmv.imaging.formats import image_format, refused_format
from gmv.imaging.jpeg import jpeg_pixels
from gmv.imaging.pixels import Pixels
from gmv.imaging.png import png_pixels
from gmv.imaging.transparency import grey_of_16_bits, key_mask, over_white
from gmv.imaging.webp import webp_pixels

PIXELS_OPENED_MAX: Final = 178_956_970
"""Pillow opens no larger file in any case: twice its `MAX_IMAGE_PIXELS`, which is left as it is."""

_DETAIL_CHARACTERS_MAX = 200
_WITHOUT_METADATA: Mapping[str, Callable[[bytes], Pixels]] = {
    "PNG": png_pixels,
    "JPEG": jpeg_pixels,
    "WEBP": webp_pixels,
}
_UPRIGHT_BY: Mapping[int, Image.Transpose] = {  # orientation to what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # `ImageLimits` refuses, not warns


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest file, in bytes, and the largest width times height that is decoded."""

    bytes_max: int
    pixels_max: int


def without_metadata(content: bytes) -> Pixels:
    """Return what of a PNG, JPEG or WEBP file decides its pixels, beside what else it says.

    Raises:
        Poison: `image_refused`, for another format, or a JPEG of too many scans.
    """
    return _WITHOUT_METADATA[_format_of(content)](content)


def _format_of(content: bytes) -> str:
    name = image_format(content)
    if name is None:
        raise refused_format(content)
    return name


def decode_image(content: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    """Decode a PNG, JPEG or WEBP file.

    Returns:
        uint8 [height, width, 3], RGB, C-contiguous and writable.

    Raises:
        Poison: `image_refused` for another format or above a limit, `image_corrupt` for a damaged or cut-off file.
    """
    if len(content) > limits.bytes_max:
        size = f"{len(content):,} bytes or more"  # who reads a file stops one byte beyond the limit
        raise Poison(Reason.IMAGE_REFUSED, f"the image has {size}, {limits.bytes_max:,} are allowed")
    name = _format_of(content)
    try:
        pixels = _WITHOUT_METADATA[name](content)
        with Image.open(io.BytesIO(pixels.content), formats=(name,)) as image:
            _check_size(image, limits)
            image.load()
            return np.array(_upright(_to_rgb(image, pixels), pixels.orientation))
    except (Poison, MemoryError):  # want of memory is this machine's fault, not the file's
        raise
    except Image.DecompressionBombError:
        raise _too_large(f"more than {PIXELS_OPENED_MAX:,} pixels", limits) from None
    except UnidentifiedImageError:
        raise Poison(Reason.IMAGE_CORRUPT, f"the header of the {name} is damaged or cut off") from None
    except Exception as error:  # noqa: BLE001 - the codecs raise a dozen kinds on crafted bytes
        raise Poison(Reason.IMAGE_CORRUPT, f"the {name} is damaged or cut off ({_short(error)})") from None


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    pixels = image.width * image.height
    if pixels > limits.pixels_max:
        raise _too_large(f"{image.width:,} x {image.height:,} = {pixels:,} pixels", limits)


def _too_large(size: str, limits: ImageLimits) -> Poison:
    return Poison(Reason.IMAGE_REFUSED, f"the image has {size}, {limits.pixels_max:,} are allowed")


def _to_rgb(image: Image.Image, pixels: Pixels) -> Image.Image:
    clear = key_mask(image, pixels.content, pixels.key) if pixels.key else None
    if clear is not None:
        image.info.pop("transparency", None)
    flat = grey_of_16_bits(image) if image.mode.startswith("I") else over_white(image)
    if clear is not None:
        flat.paste("white", mask=Image.fromarray(clear))
    return flat


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT_BY[orientation]) if orientation in _UPRIGHT_BY else image


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_DETAIL_CHARACTERS_MAX]
