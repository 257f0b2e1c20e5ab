"""Principal components of images: the few numbers in which the fast generator works."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_VARIANCE_MIN = 1e-12


@dataclass(frozen=True, slots=True)
class Components:
    """Directions in which some images vary most, each in units of their standard deviation along it.

    Attributes:
        shape: of an image, (side, side, channels).
        centre: float64 [D], mean of the images.
        directions: float64 [d, D], orthonormal.
        deviations: float64 [d].
    """

    shape: tuple[int, ...]
    centre: NDArray[np.float64]
    directions: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def latents(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return images, uint8 [n, side, side, channels], as float64 [n, d]."""
        return ((_flat(pixels) - self.centre) @ self.directions.T) / self.deviations

    def pixels(self, latents: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return what has such latents and nothing besides, cut off at black and white."""
        flat = self.centre + (latents * self.deviations) @ self.directions
        return np.rint(np.clip(flat, 0, 1) * 255).astype(np.uint8).reshape(-1, *self.shape)


def principal_components(pixels: NDArray[np.uint8], count: int) -> Components:
    """Return the first components of images, uint8 [n, side, side, channels]; fewer where these vary in fewer ways."""
    flat = _flat(pixels)
    centre = flat.mean(0)
    _, singular, directions = np.linalg.svd(flat - centre, full_matrices=False)
    variances = singular**2 / (len(flat) - 1)
    kept = min(count, int((variances > _VARIANCE_MIN).sum()))
    return Components(pixels.shape[1:], centre, directions[:kept], np.sqrt(variances[:kept]))


def _flat(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return pixels.reshape(len(pixels), math.prod(pixels.shape[1:])) / 255.0
