"""The queries of a run, one behind another, so that compiled code is called once for many of them.

A call hands over some fifty arrays of scratch, and what Python does around it is seldom in a processor's caches: of 64
tokens and 100 candidates that was 70 to 140 us a query, beside 1,100 in the kernel.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.ranking import Step
from gmv.valuation.wasserstein.scratch import Scratch
from gmv.valuation.wasserstein.ties import order_by_distance
from gmv.valuation.wasserstein.tokens import StoredTokens
from gmv.valuation.wasserstein.topk import find_nearest

OUT_OF_RANGE: Final = -1


class Run(NamedTuple):
    """Queries of n tokens, as the kernel takes them.

    Attributes:
        looks: float32 [b, 2, n, d], each query and its mirrored look, which is not read where it has no candidates.
        rows: int64 [p], of the first query its candidates, ascending, and those of its mirrored look, ascending; then
            the next query's.
        starts: int64 [b + 1], where those of each query begin, and where the last's end.
        first_mirrored: int64 [b], where those of its mirrored look begin.
    """

    looks: NDArray[np.float32]
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    first_mirrored: NDArray[np.int64]


class Found(NamedTuple):
    """What may be among the nearest, each query's from where its candidates begin.

    Attributes:
        rows: int64 [p].
        distances: float64 [p], W1, times the scale of tokens until they are in order.
        mirrored: bool [p], of which look.
        proven: bool [p], whether a certificate was found.
        counts: int64 [b], how many there are of each query; -1 where a token is out of range.
        ended: int64 [b, 7], how many pairs each `Step` ended.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    mirrored: NDArray[np.bool_]
    proven: NDArray[np.bool_]
    counts: NDArray[np.int64]
    ended: NDArray[np.int64]


def new_found(run: Run) -> Found:
    """Allocate for a run."""
    pairs, queries = len(run.rows), len(run.looks)
    return Found(
        rows=np.empty(pairs, np.int64),
        distances=np.empty(pairs, np.float64),
        mirrored=np.empty(pairs, np.bool_),
        proven=np.empty(pairs, np.bool_),
        counts=np.empty(queries, np.int64),
        ended=np.empty((queries, len(Step)), np.int64),
    )


@strict
def rank_run(store: StoredTokens, run: Run, contributors: int, scratch: Scratch, found: Found) -> None:
    """Find what may be among the K nearest rows of each query, K being `contributors` or all that it has."""
    for query in range(run.looks.shape[0]):
        start, stop = run.starts[query], run.starts[query + 1]
        rows, first_mirrored = run.rows[start:stop], run.first_mirrored[query] - start
        looks = run.looks[query, : (2 if first_mirrored < rows.shape[0] else 1)]
        count = find_nearest(store, rows, first_mirrored, looks, min(contributors, rows.shape[0]), scratch)
        found.counts[query] = count
        for step in range(scratch.counts.shape[0]):
            found.ended[query, step] = scratch.counts[step]
        for place in range(count):
            pair = scratch.settled[place]
            found.rows[start + place] = rows[pair]
            found.mirrored[start + place] = pair >= first_mirrored
            found.distances[start + place] = scratch.distances[place]
            found.proven[start + place] = scratch.proven[place]


@strict
def order_run(run: Run, scale: float, found: Found) -> None:
    """Put what was found of each query in order, a row by its nearer look alone, and divide distances by the scale."""
    for query in range(found.counts.shape[0]):
        if found.counts[query] == OUT_OF_RANGE:
            continue
        start, stop = run.starts[query], run.starts[query] + found.counts[query]
        rows, distances = found.rows[start:stop].copy(), found.distances[start:stop].copy()
        mirrored = found.mirrored[start:stop].copy()
        order = np.empty(rows.shape[0], np.int64)
        found.counts[query] = order_by_distance(rows, mirrored, distances, order)
        for place in range(found.counts[query]):
            found.rows[start + place] = rows[order[place]]
            found.distances[start + place] = distances[order[place]] / scale
            found.mirrored[start + place] = mirrored[order[place]]
