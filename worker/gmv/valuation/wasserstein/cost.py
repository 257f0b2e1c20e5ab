"""Squared ground costs in float32 that are never above the true ones.

Those of int8 tokens are the true ones: with at most `INTEGER_SIZE_MAX` numbers in a token, |b|^2 + |q|^2, 2 b.q and
whatever they are made of are whole numbers up to 2^24, which float32 adds and multiplies without rounding, in any
order. The rest of this is about others.

Let u = 2^-24, b and q two tokens of d numbers, N = |b|^2 + |q|^2, and D = N - 2 b.q their true squared distance.
Summed in any order, with or without fused multiplications, float32 gives (Higham, Accuracy and Stability of
Numerical Algorithms, 2nd ed., section 3.1, with g = d u / (1 - d u))

    |fl(|b|^2) - |b|^2| <= g |b|^2,     |fl(b.q) - b.q| <= g |b||q| <= g N / 2.

Norms are lowered by the factor 1 - e first. Adding up three numbers of at most 2 N together rounds four times, by at
most 8.1 u N, so that the computed square exceeds D by at most N (2 g + 8.1 u - e). The square root of it rounds once
more, which 4.2 u N make good, as D <= 2 N. With e = (2 d + 16) u, costs are therefore never above the true distances;
underflow, at most (3 d + 8) 2^-150, is made good by `_UNDERFLOW`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast, nan_safe, strict

TOKEN_SIZE_MAX: Final = 4_096
"""Largest d that the inequality was worked out for: d u has to be small against 1."""

INTEGER_SIZE_MAX: Final = 256
"""Largest d for int8: d (128 + 128)^2 is 2^24 then."""

_SQUARED_NORM_MAX: Final = 2.0**97
"""So that squared distances, at most four times this, stay below `LARGE`."""

_UNIT_ROUNDOFF: Final = 2.0**-24
_UNDERFLOW: Final = np.float32(2.0**-126)


@nan_safe
def squared_norms(tokens: NDArray[np.float32], norms: NDArray[np.float32]) -> None:
    """Write the squared lengths of float32 [n, d] tokens into float32 [n], rounded within g."""
    count, size = tokens.shape
    for place in range(count):
        total = np.float32(0)
        for component in range(size):
            total += tokens[place, component] * tokens[place, component]
        norms[place] = total


@strict
def longest(norms: NDArray[np.float32]) -> np.float32:
    """Return the greatest of the squared lengths of tokens; -1 where one is not fit for float32 sums of squares.

    NaN and infinity are not.
    """
    greatest = np.float32(0)
    for norm in norms:
        if not norm <= _SQUARED_NORM_MAX:
            return np.float32(-1)
        greatest = max(greatest, norm)
    return greatest


@fast
def lower(norms: NDArray[np.float32], size: int) -> None:
    """Lower the squared lengths of tokens of `size` numbers in place: by the factor 1 - e, and by an underflow."""
    factor = np.float32(1.0 - (2 * size + 16) * _UNIT_ROUNDOFF)
    for place in range(norms.shape[0]):
        norms[place] = norms[place] * factor - _UNDERFLOW
