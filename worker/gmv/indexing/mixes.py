"""Mixes of training images, made by a build to see how recall does with what is like several and equal to none.

One to three images, cropped, with other contrast and colours, laid side by side or one over the other under noise.
An altered copy is of one image, which may be mirrored.
These are not the demo's remixes: what a build learns from its own must not be measured by the same kind. Scaled by
`to_working_size` and then in integers alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.working_size import to_working_size

SOURCES_MAX: Final = 3

_KEPT_MIN: Final = 0.75  # of each side
_CONTRAST: Final = (51, 77)  # in 64ths: .8 to 1.2
_SHIFT: Final = 15
_NOISE: Final = 5
_LAID_OVER_SHARE: Final = 0.3

Pixels = NDArray[np.uint8]


def draw_sources(count: int, rows: int, seed: int) -> list[NDArray[np.int64]]:
    """Return which of the rows each of `count` mixes is made of, distinct ones, one to three each."""
    random = np.random.default_rng((seed, 0))
    numbers = random.integers(1, min(SOURCES_MAX, rows), count, endpoint=True)
    return [random.choice(rows, number, replace=False) for number in numbers]


def mixed(sources: Sequence[Pixels], side: int, seed: int, number: int) -> Pixels:
    """Return the mix of this number.

    Args:
        sources: uint8 [height, width, 3] each, at least one.
        side: in pixels, of the mix.
        seed: of the series.
        number: in the series; it is the same however many are made.

    Returns:
        uint8 [side, side, 3].
    """
    random = np.random.default_rng((seed, 1, number))
    parts = [_altered(source, side, random) for source in sources]
    if random.random() < _LAID_OVER_SHARE:
        pixels = sum(parts[1:], parts[0]) // len(parts)
    else:
        pixels = _side_by_side(parts, 1 if random.random() < 0.5 else 0)
    return _noisy(pixels, random)


def altered_copy(source: Pixels, side: int, seed: int, number: int) -> Pixels:
    """Return the altered copy of this number: cropped, with other contrast and colours, half of them mirrored.

    Args:
        source: uint8 [height, width, 3].
        side: in pixels, of the copy.
        seed: of the series.
        number: in the series; it is the same however many are made.

    Returns:
        uint8 [side, side, 3].
    """
    random = np.random.default_rng((seed, 2, number))
    look = source[:, ::-1] if random.random() < 0.5 else source
    return _noisy(_altered(look, side, random), random)


def _noisy(pixels: NDArray[np.int64], random: np.random.Generator) -> Pixels:
    noise = random.integers(-_NOISE, _NOISE, pixels.shape, endpoint=True)
    made: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return made


def _altered(source: Pixels, side: int, random: np.random.Generator) -> NDArray[np.int64]:
    height, width = source.shape[:2]
    kept_height, kept_width = _kept(height, random), _kept(width, random)
    top = int(random.integers(height - kept_height, endpoint=True))
    left = int(random.integers(width - kept_width, endpoint=True))
    cropped = to_working_size(source[top : top + kept_height, left : left + kept_width], side).astype(np.int64)
    contrast = random.integers(*_CONTRAST, endpoint=True)
    shift = random.integers(-_SHIFT, _SHIFT, 3, endpoint=True)
    return (cropped - 128) * contrast // 64 + 128 + shift


def _kept(side: int, random: np.random.Generator) -> int:
    return max(1, round(side * random.uniform(_KEPT_MIN, 1.0)))


def _side_by_side(parts: Sequence[NDArray[np.int64]], axis: int) -> NDArray[np.int64]:
    pieces = [np.array_split(part, len(parts), axis)[place] for place, part in enumerate(parts)]
    return np.concatenate(pieces, axis)
