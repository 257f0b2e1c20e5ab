"""Altered copies of training images, made by a build to see how many of such it would miss among the images."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.exact.alterations import recoloured, shifted
from gmv.encoders.port import Features, MirroringEncoder
from gmv.encoders.working_size import to_working_size

_CROPPED_TO: Final = 0.95


def altered_copies(pictures: Sequence[NDArray[np.uint8]], encoder: MirroringEncoder, seed: int) -> dict[str, Features]:
    """Alter training images in several ways, and encode what comes of it.

    Args:
        pictures: uint8 [side, side, 3] each, of the side at which the encoder works; at least one.
        encoder: of the index.
        seed: of what is drawn.

    Returns:
        The features of an altered copy of each, by kind of alteration, in words.
    """
    originals = np.stack(pictures)
    draw = np.random.default_rng((seed, 4))
    kinds: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        "mirrored": lambda images: images[:, :, ::-1],
        "recoloured": lambda images: recoloured(images, draw),
        "moved by up to 1.5 pixels": lambda images: shifted(images, draw),
        f"cropped to {_CROPPED_TO} of each side": lambda images: np.stack([_cropped(each, draw) for each in images]),
    }
    return {kind: encoder.encode(list(np.ascontiguousarray(alter(originals)))) for kind, alter in kinds.items()}


def _cropped(image: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    side = len(image)
    kept = max(1, int(side * _CROPPED_TO))
    top, left = draw.integers(side - kept, size=2, endpoint=True).tolist()
    return to_working_size(image[top : top + kept, left : left + kept], side)
