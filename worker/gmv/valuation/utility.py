"""How a contributor set shares one generated image: GMValuator's softmax over distances."""

import math
from collections.abc import Sequence

from gmv.valuation.exact_functions import exponential, logarithm


def utilities(distances: Sequence[float], temperature: float) -> list[float]:
    """Return V_i = exp(-d_i / tau) / sum_k exp(-d_k / tau) for the contributor set (GMValuator, equation of V).

    The smallest distance is subtracted first: without that, distances above about 745 tau underflow to 0/0.
    Exponentials and their sum are correctly rounded, so neither depends on the processor, on the C library, or on how
    many contributors there are.

    Args:
        distances: d_i >= 0, finite; W1 per contributor. May be empty.
        temperature: tau > 0; 1 is the paper's formula.

    Returns:
        As many values in [0, 1]; they sum to 1 within a few units in the last place.
    """
    if not distances:
        return []
    nearest = min(distances)
    likenesses = [exponential(-(distance - nearest) / temperature) for distance in distances]
    total = math.fsum(likenesses)
    return [likeness / total for likeness in likenesses]


def effective_contributors(shares: Sequence[float]) -> float:
    """Return exp(H), the perplexity of the shares: 1 if one contributor has all, K if all have the same."""
    return exponential(-math.fsum(share * logarithm(share) for share in shares if share > 0.0))
