"""Altered copies of training images, made by a build to see how many of such it would miss among the images."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import Corpus
from gmv.encoders.exact.alterations import recoloured, shifted
from gmv.encoders.port import Features, MirroringEncoder
from gmv.encoders.working_size import to_working_size
from gmv.imaging.decode import ImageLimits
from gmv.indexing.calibration_queries import pictures_of

_IMAGES: Final = 200
_CROPPED_TO: Final = 0.95


def altered_copies(
    corpus: Corpus, image_ids: Sequence[str], limits: ImageLimits, encoder: MirroringEncoder, side: int, seed: int
) -> tuple[NDArray[np.int64], dict[str, Features]]:
    """Draw training images, alter each in several ways, and encode what comes of it.

    Args:
        corpus: passed over once.
        image_ids: of the rows, all of which were decoded before.
        limits: of images.
        encoder: of the index.
        side: at which it works, in pixels.
        seed: of the draw.

    Returns:
        The rows that were drawn, int64 [b], ascending, and the features of their copies by kind of alteration.
    """
    count = min(len(image_ids), _IMAGES)
    drawn = np.sort(np.random.default_rng((seed, 3)).choice(len(image_ids), count, replace=False))
    names = [image_ids[row] for row in drawn]
    pictures = pictures_of(corpus, set(names), limits, side)
    originals = np.stack([pictures[name] for name in names])
    draw = np.random.default_rng((seed, 4))
    kinds: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        "mirrored": lambda images: images[:, :, ::-1],
        "recoloured": lambda images: recoloured(images, draw),
        "moved by up to 1.5 pixels": lambda images: shifted(images, draw),
        f"cropped to {_CROPPED_TO} of each side": lambda images: np.stack([_cropped(each, draw) for each in images]),
    }
    return drawn, {kind: encoder.encode(list(np.ascontiguousarray(alter(originals)))) for kind, alter in kinds.items()}


def _cropped(image: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    side = len(image)
    kept = max(1, int(side * _CROPPED_TO))
    top, left = draw.integers(side - kept, size=2, endpoint=True).tolist()
    return to_working_size(image[top : top + kept, left : left + kept], side)
