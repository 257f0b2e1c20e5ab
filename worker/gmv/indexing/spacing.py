"""How far apart the tokens of one image are: the unit in which a distance says whether another image is a copy of it.

W1 alone does not say that: of 49,000 images, two pictures of different aeroplanes before a blue sky are at .45, and a
picture and its copy of .9 of each side at .68, in the median. All tokens of a sky are near each other, though. Divided
by the spacing of tokens, the former are at 1.1 and more, and pairs below .85 are the same picture wherever one looks.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gmv.index.tokens import Tokens

_IMAGES_AT_ONCE: Final = 32
_FIXED: Final = 2**20


def spacings(tokens: Tokens, scale: float) -> NDArray[np.float64]:
    """Return, for each image, how far a token is from the nearest other, in the mean; 0 where there is but one.

    Of int8 tokens the same bits on every processor: products of theirs are exact in float32, roots are rounded
    correctly one by one, and then added up as integers.

    Args:
        tokens: [rows, n, d].
        scale: what distances are divided by, for W1.

    Returns:
        float64 [rows].
    """
    rows, count = tokens.shape[:2]
    sums = np.zeros(rows, np.int64)
    wide = np.float32 if tokens.dtype == np.int8 else np.float64
    for start in range(0, rows if count > 1 else 0, _IMAGES_AT_ONCE):
        some: NDArray[Any] = tokens[start : start + _IMAGES_AT_ONCE].astype(wide)
        squares = np.square(some).sum(2)
        apart = squares[:, :, np.newaxis] + squares[:, np.newaxis] - 2 * (some @ some.swapaxes(1, 2))
        apart[:, range(count), range(count)] = np.inf
        nearest = np.sqrt(np.maximum(apart.min(2), 0.0).astype(np.float64))
        sums[start : start + len(some)] = np.rint(nearest * _FIXED).astype(np.int64).sum(1)
    means: NDArray[np.float64] = sums / (_FIXED * count * scale)
    return means
