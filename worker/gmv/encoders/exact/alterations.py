"""Training images altered as generators alter them, in integers: what a projection learns to look past.

Numbers are drawn as integers, and bits come out of the generator as they are: distributions of floats may be computed
with fused multiplications on one processor and without on another.
"""

import numpy as np
from numpy.typing import NDArray

_ONE = 256  # gains are in 256ths
_CONTRAST = (192, 320)
_COLOUR = (225, 287)
_OFFSET = 20  # levels of 255, either way
_NOISE = 3  # four of them, either way, are added: a standard deviation of 4 levels
_SHIFT = 12  # eighths of a pixel, either way
_EIGHTHS = 8


def recoloured(images: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 [b, size, size, 3] with another contrast, tint and brightness each, and a little noise."""
    count = len(images)
    contrast = draw.integers(*_CONTRAST, (count, 1, 1, 1), endpoint=True)
    colour = draw.integers(*_COLOUR, (count, 1, 1, 3), endpoint=True)
    offset = draw.integers(-_OFFSET, _OFFSET, (count, 1, 1, 1), endpoint=True)
    noise = draw.integers(-_NOISE, _NOISE, (4, *images.shape), endpoint=True).sum(0)
    stretched = (images.astype(np.int64) - 128) * contrast + 128 * _ONE
    altered: NDArray[np.uint8] = np.clip(stretched * colour // _ONE**2 + offset + noise, 0, 255).astype(np.uint8)
    return altered


def shifted(images: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 [b, size, size, 3] moved by up to 1.5 pixels each way, bilinearly; edges are repeated."""
    moves = draw.integers(-_SHIFT, _SHIFT, (len(images), 2), endpoint=True)
    each = zip(images, moves.tolist(), strict=True)
    return np.stack([_moved(_moved(image, down, 0), right, 1) for image, (down, right) in each])


def _moved(image: NDArray[np.uint8], eighths: int, axis: int) -> NDArray[np.uint8]:
    whole, part = divmod(eighths, _EIGHTHS)
    places = np.arange(image.shape[axis])
    near = image.take(np.clip(places - whole, 0, len(places) - 1), axis).astype(np.int64)
    far = image.take(np.clip(places - whole - 1, 0, len(places) - 1), axis).astype(np.int64)
    moved: NDArray[np.uint8] = ((near * (_EIGHTHS - part) + far * part + _EIGHTHS // 2) // _EIGHTHS).astype(np.uint8)
    return moved
