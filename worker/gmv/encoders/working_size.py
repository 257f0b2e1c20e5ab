"""Images of any size to the one size a descriptor works at."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORKING_SIZE_MIN = 16
WORKING_SIZE_MAX = 256


def to_working_size(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bring an image to a square of `size` pixels a side.

    Both sides are scaled on their own: nothing is cut off and no border is added, so all that the owner made is
    seen, and an oblong image is squeezed. Where there are pixels to spare they are averaged by area; a smaller image
    is enlarged bilinearly. An image of the working size comes back as it is.

    Args:
        image: uint8 [height, width, 3], both at least 1.
        size: in pixels.

    Returns:
        uint8 [size, size, 3].
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    by_area = height * width >= size * size
    method = Image.Resampling.BOX if by_area else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((size, size), method))
