"""Ground costs in float32 that are never above the true ones.

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
def are_moderate(norms: NDArray[np.float32]) -> bool:
    """Return whether tokens of these squared lengths are fit for float32 sums of squares; NaN and infinity are not."""
    for norm in norms:
        if not norm <= _SQUARED_NORM_MAX:
            return False
    return True


@fast
def lower(norms: NDArray[np.float32], size: int) -> None:
    """Lower the squared lengths of tokens of `size` numbers in place: by the factor 1 - e, and by an underflow."""
    factor = np.float32(1.0 - (2 * size + 16) * _UNIT_ROUNDOFF)
    for place in range(norms.shape[0]):
        norms[place] = norms[place] * factor - _UNDERFLOW


@fast
def square_roots(squares: NDArray[np.float32], costs: NDArray[np.float32]) -> None:
    """Write costs, float32 [n, n], from squared costs, float32 [n or more, n or more]."""
    count = costs.shape[0]
    for row in range(count):
        for column in range(count):
            costs[row, column] = np.sqrt(squares[row, column])
