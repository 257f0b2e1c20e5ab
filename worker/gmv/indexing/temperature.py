"""The temperature in the unit of the corpus: how far apart neighbours are there, by the distance that decides credits.

W1 has the unit of the encoder's tokens, in which a corpus's own distances hardly differ: at a temperature of 1 ten
neighbours share a credit evenly (9.99 effective contributors of 10). A third of the median of d10 - d1 changes the
unit, and GMValuator's formula stands with distances in it. Over 50,000 images it puts .49 of a remix's credit on its
true sources, where 1 puts .09.
"""

import math
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Numbers
from gmv.index.manifest import MeasuredNeighbours, temperature_of
from gmv.index.port import Recall
from gmv.index.tokens import Tokens, as_query
from gmv.valuation.ranking import Reranker
from gmv.valuation.utility import effective_contributors, utilities

_QUERIES = 500
_NEIGHBOURS = 10
_DECIMALS = 4
_DIGITS = 3  # where decimals would leave fewer, for tokens of a small unit


def measure_neighbours(
    recall: Recall,
    vectors: Numbers,
    tokens: Tokens,
    reranker: Reranker,
    candidates: int,
    seed: int,
    temperature: float | None,
) -> MeasuredNeighbours:
    """Rank a sample of training images against all others, each left out of its own answer, and see how shares look.

    Args:
        recall: over the vectors.
        vectors: [rows, D].
        tokens: [rows, n, d].
        reranker: over the tokens.
        candidates: M, recalled for each.
        seed: of the sample.
        temperature: to see the shares at; None: the one that follows from the distances.
    """
    rows = len(vectors)
    sample = np.sort(np.random.default_rng(seed).choice(rows, min(rows, _QUERIES), replace=False))
    distances = _distances(recall, vectors, tokens, reranker, candidates, sample)
    spread = _median([each[-1] - each[0] for each in distances])
    tau = temperature or temperature_of(spread)
    shares = [utilities(each, tau) for each in distances]
    return MeasuredNeighbours(
        queries=len(distances),
        nearest_1=_rounded(_median([each[0] for each in distances])),
        nearest_10=_rounded(_median([each[-1] for each in distances])),
        spread=_rounded(spread),
        temperature=tau,
        top_share=_rounded(_median([max(each) for each in shares])),
        effective_contributors=_rounded(_median([effective_contributors(each) for each in shares])),
    )


def _distances(
    recall: Recall,
    vectors: Numbers,
    tokens: Tokens,
    reranker: Reranker,
    candidates: int,
    sample: NDArray[np.int64],
) -> list[list[float]]:
    """Return W1 to the ten nearest others of each of the sample, ascending; fewer where there are fewer."""
    recalled = recall.recall(vectors[sample], candidates + 1)  # one more, for the image itself
    others = [rows[rows != own] for rows, own in zip(recalled, sample, strict=True)]
    asked = [(row, found) for row, found in zip(sample, others, strict=True) if len(found)]
    rankings = reranker.nearest([as_query(tokens[row]) for row, _ in asked], [found for _, found in asked], _NEIGHBOURS)
    return [ranking.distances.tolist() for ranking in rankings]


def _median(values: list[float]) -> float:
    return median(values) if values else math.nan


def _rounded(value: float) -> float:
    if math.isnan(value):
        return 0.0
    return round(value, _DECIMALS) if value >= 10 ** (_DIGITS - _DECIMALS - 1) else float(f"{value:.{_DIGITS}g}")
