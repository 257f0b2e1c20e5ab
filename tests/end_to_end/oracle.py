"""Credits worked out a second time, by brute force and by other means: POT over the whole corpus, and fractions."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import ot
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

MICROS = 1_000_000


class Image(NamedTuple):
    """A training image; `tokens` is float64 [n, d]."""

    image_id: str
    owner_id: str
    weight: float
    tokens: NDArray[np.float64]


def w1(some: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """W1 between uniform measures, by POT's network simplex."""
    uniform = np.full(len(some), 1 / len(some)), np.full(len(others), 1 / len(others))
    return float(ot.emd2(*uniform, cdist(some, others), numItermax=1_000_000))


def nearest(
    looks: Sequence[NDArray[np.float64]], corpus: Iterable[Image], contributors: int
) -> list[tuple[float, Image]]:
    """The nearest images by the lesser of their distances to the looks of one query."""
    distances = [(min(w1(look, image.tokens) for look in looks), image) for image in corpus]
    return sorted(distances, key=lambda pair: (pair[0], pair[1].image_id))[:contributors]


def owed(ranked: Sequence[tuple[float, Image]], quality: float, temperature: float = 1.0) -> Counter[str]:
    """Micro-credits per owner for one generated image, by the formulas of the design's section 1."""
    likeness = [math.exp((ranked[0][0] - distance) / temperature) for distance, _ in ranked]
    worth = [
        Fraction(quality * image.weight * (value / math.fsum(likeness)))
        for value, (_, image) in zip(likeness, ranked, strict=True)
    ]
    budget = round(MICROS * sum(worth))
    quotas = [budget * part / sum(worth) if budget else Fraction(0) for part in worth]
    shares = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(shares)), key=lambda i: (shares[i] - quotas[i], ranked[i][1].image_id))
    for place in order[: budget - sum(shares)]:
        shares[place] += 1
    totals: Counter[str] = Counter()
    for share, (_, image) in zip(shares, ranked, strict=True):
        totals[image.owner_id] += share
    return totals
