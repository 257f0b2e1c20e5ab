"""How many candidates are enough: of the true nearest training images, how many are among the first M recalled.

The true nearest are those of least W1 among all rows, found by brute force: 1.2 s a query over 48,000 rows and both
looks, on a busy core. So a build asks 60 queries of each kind, two minutes in one thread. Two kinds, since they
differ: images of the corpus, each left out of its own answer, and mixes of some, as generated images are that copy
parts of several.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Features, MirroringEncoder, Numbers
from gmv.index.manifest import CalibratedCandidates, RecallCurve, RecallPoint
from gmv.index.port import Recall
from gmv.valuation.ranking import MirroredLook, Reranker

NEAREST: Final = 10

_STEPS: Final = (
    *range(10, 100, 10),
    *range(100, 200, 20),
    *range(200, 500, 50),
    *range(500, 1_000, 100),
    *range(1_000, 10_000, 1_000),
)
_NORMAL_QUANTILE: Final = 1.959964  # of 97.5 %
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """An image whose nearest training images are sought.

    Attributes:
        vector: [D], for recall.
        tokens: [n, d].
        mirrored_tokens: [n, d], those of its mirrored look; None where that is not looked at.
        row: its own, where it is a training image: left out of the answer.
    """

    vector: Numbers
    tokens: Numbers
    mirrored_tokens: Numbers | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was found for queries of one kind; a training image is named by `key_of` its row and look.

    Attributes:
        kind: of queries, in words.
        true: int64 [<= 10] each, the nearest of all.
        recalled: by M, int64 [<= M] each. Recall in stages may find others first when it is asked for more, so each M
            is asked for by itself.
    """

    kind: str
    true: Sequence[NDArray[np.int64]]
    recalled: Mapping[int, Sequence[NDArray[np.int64]]]


def queries_of(features: Features, encoder: MirroringEncoder | None, rows: Sequence[int] | None = None) -> list[Query]:
    """Return a query for each of b images.

    Args:
        features: of the images.
        encoder: that mirrors them; None where there is no mirrored look.
        rows: their own, where they are training images.
    """
    mirrored = encoder.mirrored(features).tokens if encoder else [None] * len(features)
    own = rows if rows is not None else [None] * len(features)
    return [Query(*each) for each in zip(features.vectors, features.tokens, mirrored, own, strict=True)]


def keys_of(rows: NDArray[np.int64], is_mirrored: NDArray[np.bool_] | bool = False) -> NDArray[np.int64]:
    """Name rows seen in a look: a row recalled by the wrong look would be ranked by the wrong distance."""
    return 2 * rows + np.asarray(is_mirrored, np.int64)


def rows_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows that `keys_of` named."""
    return keys >> 1


def true_nearest(reranker: Reranker, queries: Sequence[Query], rows: int) -> list[NDArray[np.int64]]:
    """Return the keys of the ten nearest of all rows by W1, by the nearer look, for each query: brute force.

    Args:
        reranker: over the rows.
        queries: each is ranked against all but its own row.
        rows: in the index.
    """
    asked = [query for query in queries if rows > (query.row is not None)]
    others = [_others(query, rows) for query in asked]
    mirrored = [
        None if query.mirrored_tokens is None else MirroredLook(query.mirrored_tokens, each)
        for query, each in zip(asked, others, strict=True)
    ]
    rankings = iter(reranker.nearest([query.tokens for query in asked], others, NEAREST, mirrored))
    nothing = np.empty(0, np.int64)
    found = [next(rankings) if rows > (query.row is not None) else None for query in queries]
    return [nothing if each is None else keys_of(each.rows, each.mirrored) for each in found]


def _others(query: Query, rows: int) -> NDArray[np.int64]:
    every = np.arange(rows)
    return every if query.row is None else np.delete(every, query.row)


def recalled_at(
    recall: Recall, queries: Sequence[Query], candidates: Sequence[int]
) -> dict[int, list[NDArray[np.int64]]]:
    """Return, by M, the keys of what is recalled for each query, without its own row.

    Args:
        recall: over the vectors.
        queries: all of them training images, or none.
        candidates: each M.
    """
    if not queries:
        return {count: [] for count in candidates}
    vectors = np.stack([query.vector for query in queries])
    spare = any(query.row is not None for query in queries)  # one more, for its own
    return {
        count: [
            np.concatenate([keys_of(rows[rows != query.row][:count], which == 1) for which, rows in enumerate(looks)])
            for query, looks in zip(queries, recall.recall_looks(vectors, count + spare), strict=True)
        ]
        for count in candidates
    }


def tried_up_to(candidates_max: int, rows: int) -> list[int]:
    """Return each M that is tried: none but the most where fewer are all pairs of a row and a look."""
    return [*(step for step in _STEPS if step < min(candidates_max, 2 * rows)), candidates_max]


def calibrate(answers: Sequence[Answers], target: float, candidates_max: int) -> CalibratedCandidates:
    """Find the least M of those tried that recalls the target's share of the true nearest, for each kind of queries.

    Args:
        answers: of each kind of queries, with the same M tried.
        target: share of the true ten nearest, above 0 and at most 1.
        candidates_max: the most candidates that were tried.
    """
    curves = tuple(_curve(each) for each in answers)
    tried = {point.candidates for curve in curves for point in curve.points}
    too_few = {point.candidates for curve in curves for point in curve.points if point.recall < target}
    return CalibratedCandidates(
        target=target, candidates_max=candidates_max, candidates=min(tried - too_few, default=None), curves=curves
    )


def _curve(answers: Answers) -> RecallCurve:
    sought = sum(map(len, answers.true))
    points = []
    for candidates, recalled in sorted(answers.recalled.items()):
        found = sum(int(np.isin(true, keys).sum()) for true, keys in zip(answers.true, recalled, strict=True))
        points.append(share_point(candidates, found / sought if sought else 1.0, len(answers.true)))
    return RecallCurve(kind=answers.kind, queries=len(answers.true), points=tuple(points))


def share_point(candidates: int, share: float, queries: int) -> RecallPoint:
    """Return a share that was found by so many queries, with its interval."""
    least, most = wilson_interval(share, queries)
    return RecallPoint(
        candidates=candidates,
        recall=round(share, _DECIMALS),
        least=round(least, _DECIMALS),
        most=round(most, _DECIMALS),
    )


def wilson_interval(share: float, trials: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % (JASA 22, 1927) around the mean of shares in so many trials.

    Shares of a query vary less than yes or no with the same mean, so for them it is on the safe side.
    """
    if trials == 0:
        return 0.0, 1.0
    square = _NORMAL_QUANTILE * _NORMAL_QUANTILE / trials
    middle = share + square / 2
    half = math.sqrt(square * share * (1 - share) + square * square / 4)
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))
