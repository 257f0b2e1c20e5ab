"""Pixels that are transparent, wholly or in part, laid over white, whatever their depth.

Source: PNG (third edition), 11.3.1.1: a grey or a colour that `tRNS` names is transparent where all bits of a sample
are equal, so 16-bit samples are compared before they lose any.
"""

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GREY, _COLOUR = 0, 2  # colour types of PNG
_WHITE = 255


def over_white(image: Image.Image) -> Image.Image:
    """Return an image of any mode but 16-bit grey as RGB, its palette's or channel's transparency over white."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")  # which copies in any case
    transparent = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(transparent, mask=transparent.getchannel("A"))
    return flat


def grey_of_16_bits(image: Image.Image) -> Image.Image:
    """Return the upper 8 bits as RGB; Pillow's own conversion would clip at 255."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")


def key_mask(image: Image.Image, content: bytes, key: bytes) -> NDArray[np.bool_] | None:
    """Return which pixels of a PNG have the one grey or colour that is transparent.

    Args:
        image: decoded.
        content: the file.
        key: body of `tRNS`.

    Returns:
        bool [height, width]; None for a PNG whose transparency is in its palette or its channels.
    """
    depth, colour_type = content[24], content[25]
    all_bits = (1 << depth) - 1
    if colour_type == _GREY and len(key) >= 2:
        wanted = struct.unpack_from(">H", key)[0] & all_bits
        if depth == 16:
            return np.asarray(np.asarray(image) == wanted)
        return np.asarray(np.asarray(image.convert("L")) == wanted * _WHITE // all_bits)
    if colour_type == _COLOUR and len(key) >= 6:
        samples = np.array(struct.unpack_from(">3H", key)) & all_bits
        if depth < 16:
            return np.asarray((np.asarray(image) == samples).all(2))
        upper = (np.asarray(image) == samples >> 8).all(2)
        return np.asarray(upper & (_lower_bytes(content) == (samples & _WHITE)).all(2))
    return None


def _lower_bytes(content: bytes) -> NDArray[np.uint8]:
    """Decode the lower byte of 16-bit colours: as Pillow keeps the upper one, by the other order of bytes."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        return np.array(image)
