"""Whether a source earns the part that it has in the image: shares of credit against mixing weights."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.statistics import over_seeds
from gmv.experiments.truth.measures import line_through, source_shares
from gmv.experiments.truth.mixing import Mixes
from gmv.experiments.truth.results import Bin, Calibration

EDGES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PAIRS_MIN: Final = 10
"""Of a bin and a seed: a mean of fewer tells little."""

Pairs = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mixing weights, and the shares of the same sources."""


def pairs_of(mixes: Sequence[Mixes], temperature: float) -> Pairs:
    """Return weights and shares of all sources of several kinds, float64 [pairs] each."""
    weights = np.concatenate([each.weights.ravel() for each in mixes])
    shares = np.concatenate([source_shares(each, temperature).ravel() for each in mixes])
    return weights, shares


def calibration_of(noise: float, temperature: float, by_seed: Sequence[Pairs]) -> Calibration:
    """Compare shares with weights, which must not all be alike.

    Args:
        noise: over the images.
        temperature: tau of the shares.
        by_seed: pairs of each seed.
    """
    lines = [line for pairs in by_seed if (line := line_through(*pairs)) is not None]
    return Calibration(
        noise,
        temperature,
        over_seeds([each.slope for each in lines]),
        over_seeds([each.intercept for each in lines]),
        over_seeds([float(np.abs(weights - shares).mean()) for weights, shares in by_seed]),
        tuple(found for low, high in pairwise(EDGES) if (found := _bin(low, high, by_seed)) is not None),
    )


def _bin(low: float, high: float, by_seed: Sequence[Pairs]) -> Bin | None:
    # Masks of one source are 1 but for the last bit of a mean, which may be above.
    inside = [(weights > low) & (np.minimum(weights, 1.0) <= high) for weights, _ in by_seed]
    if min(int(each.sum()) for each in inside) < PAIRS_MIN:
        return None
    return Bin(
        low,
        high,
        sum(int(each.sum()) for each in inside),
        over_seeds([float(weights[within].mean()) for (weights, _), within in zip(by_seed, inside, strict=True)]),
        over_seeds([float(shares[within].mean()) for (_, shares), within in zip(by_seed, inside, strict=True)]),
    )
