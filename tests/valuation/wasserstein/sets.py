"""Token sets to try the kernel on, and what is known of them by other means."""

import itertools
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
import ot
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

Sets = NDArray[np.float32]


def by_pot(query: NDArray[np.float64], candidate: NDArray[np.float64]) -> float:
    """W1 by network simplex."""
    cost = cdist(query, candidate)
    return float(ot.emd2(np.full(len(query), 1 / len(query)), np.full(len(candidate), 1 / len(candidate)), cost))


def by_permutations(query: NDArray[np.float64], candidate: NDArray[np.float64]) -> float:
    """W1 of two sets of equal size, the best of all matchings."""
    cost = cdist(query, candidate)
    matchings = itertools.permutations(range(len(query)))
    return min(float(np.mean(cost[np.arange(len(query)), matching])) for matching in matchings)


def least_total(costs: NDArray[np.float64]) -> float:
    """The cost of the cheapest assignment."""
    return float(costs[linear_sum_assignment(costs)].sum())


class Kind(Enum):
    """What makes token sets hard to distinguish, or to compute with."""

    RANDOM = "independent normal numbers"
    CLUSTERED = "a few places, with a little noise around each"
    DUPLICATED = "tokens that occur several times in a set"
    NEARLY_EQUAL = "one set, moved by about the rounding error of float32"
    ON_A_LINE = "collinear tokens: many matchings cost the same"
    TINY = "numbers near the smallest that float16 has"
    HUGE = "numbers near the largest that float16 has"
    FAR_AWAY = "sets so far from the origin that squares cancel"


def token_sets(kind: Kind, count: int, tokens: int, size: int, seed: int) -> Sets:
    """Make float32 [count, tokens, size], each number one that float16 holds but for NEARLY_EQUAL."""
    rng = np.random.default_rng((seed, count, tokens, size))
    normal = partial(rng.normal, size=(count, tokens, size))
    made: Any
    match kind:
        case Kind.RANDOM:
            made = normal() + rng.normal(size=(count, 1, size))
        case Kind.CLUSTERED:
            made = rng.normal(size=(3, size))[rng.integers(3, size=(count, tokens))] + 0.01 * normal()
        case Kind.DUPLICATED:
            made = rng.integers(-1, 2, size=(count, max(1, tokens // 3), size))[
                :, rng.integers(max(1, tokens // 3), size=tokens)
            ]
        case Kind.NEARLY_EQUAL:
            one = rng.normal(size=(1, tokens, size)).astype(np.float16)
            return (one + normal() * 2.0**-22).astype(np.float32)
        case Kind.ON_A_LINE:
            made = rng.integers(-8, 9, size=(count, tokens, 1)) * np.ones(size)
        case Kind.TINY:
            made = normal() * 1e-6
        case Kind.HUGE:
            made = np.clip(normal() * 16_000, -65_000, 65_000)
        case Kind.FAR_AWAY:
            made = 100 + 0.1 * normal()
    return np.ascontiguousarray(made, np.float16).astype(np.float32)


def integer_sets(kind: Kind, count: int, tokens: int, size: int, seed: int) -> NDArray[np.int8]:
    """Make int8 [count, tokens, size]: the same sets, as finely as int8 holds them."""
    sets = token_sets(kind, count, tokens, size, seed)
    return np.rint(sets * np.float32(127 / max(np.abs(sets).max(), 1e-6))).astype(np.int8)


kinds = st.sampled_from(Kind)
seeds = st.integers(0, 2**32 - 1)
