"""From real-valued shares to integer micro-credits that add up exactly: Hamilton's largest-remainder method."""

import math
from collections.abc import Sequence


def budget_micros(worth: Sequence[float], micros_per_credit: int) -> int:
    """Return round(micros_per_credit x sum(worth)), halves to even; `worth` is gamma_ij V_ij per contributor."""
    return round(micros_per_credit * math.fsum(worth))


def apportion(budget: int, worth: Sequence[float], ids: Sequence[str]) -> list[int]:
    """Share `budget` in proportion to `worth` so that the shares sum to it exactly (I1).

    Each gets the floor of its exact quota; what is left goes, one each, to the largest remainders, equal ones in
    order of id. The quotas are exact: every float64 is an integer over a power of two, so the arithmetic below has
    no rounding of its own.

    Args:
        budget: >= 0.
        worth: finite, >= 0.
        ids: one per worth, all different.

    Returns:
        As many integers >= 0. They sum to `budget`, or are all zero where no worth is positive.
    """
    ratios = [share.as_integer_ratio() for share in worth]
    scale = max((denominator for _, denominator in ratios), default=1)
    parts = [numerator * (scale // denominator) for numerator, denominator in ratios]
    whole = sum(parts)
    if whole == 0:
        return [0] * len(parts)
    quotas = [divmod(budget * part, whole) for part in parts]
    shares = [quotient for quotient, _ in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-quotas[place][1], ids[place]))
    for place in by_remainder[: budget - sum(shares)]:
        shares[place] += 1
    return shares
