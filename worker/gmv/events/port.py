"""What the attributor needs to see the image of an event."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmv.events.model import ImageBytes, ImageUri

Pixels = NDArray[np.uint8]
"""An RGB image, [height, width, 3]."""


class ImageSource(Protocol):
    """From what an event says of its image to pixels."""

    def read(self, content: ImageBytes | ImageUri) -> Pixels:
        """Return the image.

        Raises:
            Poison: the image is refused, unreachable or corrupt.
        """
