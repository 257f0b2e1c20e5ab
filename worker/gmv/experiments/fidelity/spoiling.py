"""Pictures under noise, of a quality that is known: what the quality weight of GMValuator is for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NOISE_SHARES: Final = (0.0, 0.25, 0.5, 0.75)
"""Of a picture, in turn; its quality is the rest. A stated rule in place of an estimate such as MANIQA's."""


def spoiled(pixels: NDArray[np.uint8], random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return pictures mixed with uniform noise, uint8 of the same shape, and their qualities, float64 [images].

    Args:
        pixels: uint8 [images, side, side, channels].
        random: where noise comes from.
    """
    shares = np.array([NOISE_SHARES[place % len(NOISE_SHARES)] for place in range(len(pixels))])
    noise = random.integers(0, 256, pixels.shape)
    by_image = shares[:, None, None, None]
    return np.rint((1 - by_image) * pixels + by_image * noise).astype(np.uint8), 1 - shares
