"""Pictures with hardly anything in them: plain colours, gradients, a digit on white.

In each of their empty places an encoder sees the same, so most tokens are alike, up to their positions. Whatever is as
empty is near to them, however it came to be. Of 49,000 photographs of 32 pixels, .09 % have as much as a quarter of
their 64 tokens alike, of digits drawn in one ink 94 %, of text, noise and QR codes none.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders import precomputed
from gmv.encoders.port import POSITION_NUMBERS

_NEARNESS: Final = 64  # squared: tokens are alike that are an eighth of their length apart, or less
_LEAST_SHARE: Final = 4  # a quarter of tokens
_TOKENS_MIN: Final = 4
_BYTES_AT_ONCE: Final = 2**25  # of the squares of distances between the tokens of some images, of which there are four
_USUAL: Final = 0.9


def position_numbers(kind: str) -> int:
    """Return how many of a token's last numbers say where it is; none that gmv knows of where others made them.

    Features that were reduced have a kind of their own, which begins alike.
    """
    return 0 if kind.startswith(precomputed.KIND) else POSITION_NUMBERS


def tokens_alike(tokens: NDArray[Any], positions: int) -> NDArray[np.int64]:
    """Return, for each image, the largest number of its tokens that are like one of them.

    Exact of int8 tokens up to 256 numbers: products and their sums stay below 2^24, which float32 holds.

    Args:
        tokens: int8, float16 or float32 [b, n, d], in memory or mapped.
        positions: how many of their last numbers are left out.

    Returns:
        int64 [b], from 1 to n.
    """
    at_once = max(1, _BYTES_AT_ONCE // (8 * tokens.shape[1] ** 2))
    found = [_alike(tokens[start : start + at_once], positions) for start in range(0, len(tokens), at_once)]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def flat_from(alike: NDArray[np.int64], tokens: int) -> int:
    """Return how many tokens alike make an image flat, in a corpus whose images have so many.

    A quarter, unless that is usual there: twice what nine of ten training images have, as pictures on a white ground
    do. An image is flat in any case where all its tokens are alike, though not where it has fewer than four.

    Args:
        alike: int64 [rows], of the training images.
        tokens: n.
    """
    if tokens < _TOKENS_MIN:
        return tokens + 1
    usual = int(np.sort(alike)[int(_USUAL * (len(alike) - 1))])
    return min(tokens, max(-(-tokens // _LEAST_SHARE), 2 * usual))


def _alike(tokens: NDArray[Any], positions: int) -> NDArray[np.int64]:
    is_exact = tokens.dtype == np.int8
    seen: NDArray[Any] = tokens[:, :, : tokens.shape[2] - positions].astype(np.float32 if is_exact else np.float64)
    products = seen @ seen.transpose(0, 2, 1)
    squares = np.einsum("bii->bi", products)
    apart = squares[:, :, np.newaxis] + squares[:, np.newaxis, :] - 2 * products
    length = squares.sum(1, np.float64)[:, np.newaxis, np.newaxis]
    counts: NDArray[np.int64] = (
        (apart.astype(np.float64, copy=False) * (_NEARNESS * tokens.shape[1]) <= length).sum(2).max(1)
    )
    return counts
