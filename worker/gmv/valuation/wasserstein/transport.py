"""W1 between two token sets: the least mean cost of moving one onto the other (Kantorovich, p = 1)."""

import math

import numpy as np
from numpy.typing import NDArray

_NETWORK_SIMPLEX_PIVOTS_MAX = 1_000_000


def w1(query: NDArray[np.float64], candidate: NDArray[np.float64]) -> float:
    """Return the exact W1 distance of two uniform measures with Euclidean ground cost.

    Sets of equal size are an assignment problem, since the transport polytope's corners are then permutations
    (Birkhoff); unequal ones are solved by network simplex. Distances are summed correctly rounded (`fsum`), so
    the order of tokens in a set does not change a bit as long as the optimal assignment is unique.

    Args:
        query: float64 [n, d], finite, n >= 1.
        candidate: float64 [m, d], finite, m >= 1.
    """
    from scipy.optimize import linear_sum_assignment  # half a second of imports that most processes never need
    from scipy.spatial.distance import cdist

    cost = cdist(query, candidate)
    if len(query) == len(candidate):
        matched = cost[linear_sum_assignment(cost)]
        return math.fsum(matched) / len(matched)
    return _network_simplex(cost)


def _network_simplex(cost: NDArray[np.float64]) -> float:
    import ot  # half a second that equal-sized sets never need

    sources, sinks = cost.shape
    distance, report = ot.emd2(
        np.full(sources, 1.0 / sources),
        np.full(sinks, 1.0 / sinks),
        cost,
        numItermax=_NETWORK_SIMPLEX_PIVOTS_MAX,
        log=True,
    )
    if report["warning"] is not None:
        raise ArithmeticError(f"transport of {sources} onto {sinks} tokens did not settle: {report['warning']}")
    return float(distance)
