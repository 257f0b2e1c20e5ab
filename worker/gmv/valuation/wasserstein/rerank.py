"""The exact re-rank: of M recalled training images, the K nearest to the query by W1, for many queries at once."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.valuation.ranking import Ranking, Reranker, Step
from gmv.valuation.wasserstein.cost import TOKEN_SIZE_MAX
from gmv.valuation.wasserstein.scratch import Scratch, new_scratch
from gmv.valuation.wasserstein.ties import order_by_distance
from gmv.valuation.wasserstein.tokens import stored_tokens
from gmv.valuation.wasserstein.topk import find_nearest
from gmv.valuation.wasserstein.transport import w1

Tokens = NDArray[np.float32]
Rows = NDArray[np.int64]

_OUT_OF_RANGE: Final = -1


class ExactReranker(Reranker):
    """Ranks queries in so many threads, with scratch of its own for each.

    What it returns depends on the query, the set of candidates and K alone: not on threads, on the other queries of a
    call, or on the order of candidates, bit for bit.
    """

    def __init__(self, tokens: NDArray[np.float16] | NDArray[np.float32], threads: int = 1) -> None:
        """Compile the kernel, or load it compiled, so that the first query does not wait for that.

        Args:
            tokens: float16 or float32 [rows, n, d], d at most 4,096, the training images' tokens, in memory or mapped.
            threads: that rank queries side by side.

        Raises:
            ValueError: the tokens are something else.
        """
        if tokens.ndim == 3 and tokens.shape[2] > TOKEN_SIZE_MAX:
            raise ValueError(f"tokens have {tokens.shape[2]} numbers, and {TOKEN_SIZE_MAX} at most are supported")
        self._tokens = tokens
        self._store = stored_tokens(tokens)
        self._scratch = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rerank") if threads > 1 else None
        if len(tokens):
            self._rank(tokens[0].astype(np.float32), np.zeros(1, np.int64), 1)

    @override
    def nearest(self, queries: Sequence[Tokens], candidates: Sequence[Rows], contributors: int) -> list[Ranking]:
        """Rank each query's candidates.

        Args:
            queries: float32 [n, d] each, the generated images' tokens; their number may differ from the index's.
            candidates: int64 [M] each, rows of the recalled training images, in any order.
            contributors: K; all M are returned where M < K.

        Raises:
            ValueError: a query is not finite or of another dtype or size, it has no candidate, one twice or one that
                is not in the store, or K is below 1. Nothing was computed then.
        """
        if contributors < 1:
            raise ValueError(f"the number of contributors is {contributors}, and has to be 1 at least")
        ascending = [
            self._checked(place, query, rows)
            for place, (query, rows) in enumerate(zip(queries, candidates, strict=True))
        ]
        if self._pool is None:
            return [self._rank(query, rows, contributors) for query, rows in zip(queries, ascending, strict=True)]
        return list(self._pool.map(self._rank, queries, ascending, [contributors] * len(queries)))

    def _checked(self, place: int, query: Tokens, rows: Rows) -> Rows:
        """Return the rows of the query at this place in ascending order."""
        size = self._tokens.shape[2]
        if query.dtype != np.float32 or query.ndim != 2 or query.shape[0] == 0 or query.shape[1] != size:
            raise ValueError(f"query {place} is {query.dtype} {query.shape}, not float32 [n, {size}], n at least 1")
        if not np.isfinite(query).all():
            raise ValueError(f"query {place} holds NaN or infinity")
        if rows.dtype != np.int64 or rows.ndim != 1 or len(rows) == 0:
            raise ValueError(f"the candidates of query {place} are {rows.dtype} {rows.shape}, not int64 [M], M above 0")
        ascending = np.sort(rows)
        if ascending[0] < 0 or ascending[-1] >= len(self._tokens):
            raise ValueError(f"query {place} has candidates outside the store's {len(self._tokens):,} rows")
        if (ascending[1:] == ascending[:-1]).any():
            raise ValueError(f"query {place} has a candidate twice")
        return ascending

    def _rank(self, query: Tokens, rows: Rows, contributors: int) -> Ranking:
        """Rank ascending candidates of a checked query."""
        contributors = min(contributors, len(rows))
        if query.shape[0] == self._tokens.shape[1]:
            scratch = self._scratch_for(len(rows))
            found = find_nearest(self._store, rows, np.array(query, order="C"), contributors, scratch)
            if found != _OUT_OF_RANGE:
                settled = rows[scratch.settled[:found]]
                distances = scratch.distances[:found].copy()
                for place in np.flatnonzero(~scratch.proven[:found]):
                    distances[place] = self._transport(query, settled[place])
                ended = dict(zip(Step, scratch.counts.tolist(), strict=True))
                return Ranking(*_in_order(settled, distances, contributors), ended)
        distances = np.array([self._transport(query, row) for row in rows])
        return Ranking(*_in_order(rows, distances, contributors), None)

    def _transport(self, query: Tokens, row: np.int64) -> float:
        candidate = self._tokens[row].astype(np.float64)
        if not np.isfinite(candidate).all():
            raise ValueError(f"row {row} of the token store is not finite; build the index again")
        return w1(query.astype(np.float64), candidate)

    def _scratch_for(self, candidates: int) -> Scratch:
        """Return this thread's scratch, made larger where it is too small."""
        scratch: Scratch | None = getattr(self._scratch, "arrays", None)
        if scratch is None or len(scratch.bounds) < candidates:
            scratch = self._scratch.arrays = new_scratch(candidates, *self._tokens.shape[1:])
        return scratch


def _in_order(rows: Rows, distances: NDArray[np.float64], count: int) -> tuple[Rows, NDArray[np.float64]]:
    """Return the first of them."""
    order = np.empty(len(rows), np.int64)
    order_by_distance(rows, distances, order)
    return rows[order[:count]], distances[order[:count]]
