"""The exact re-rank: of M recalled training images, the K nearest to the query by W1, for many queries at once."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Step, Tokens
from gmv.valuation.wasserstein.scratch import Scratch, new_scratch
from gmv.valuation.wasserstein.ties import order_by_distance
from gmv.valuation.wasserstein.tokens import TokenStore, stored_tokens
from gmv.valuation.wasserstein.topk import find_nearest
from gmv.valuation.wasserstein.transport import w1

Rows = NDArray[np.int64]

_OUT_OF_RANGE: Final = -1
_NO_ROWS: Final = np.empty(0, np.int64)


class Pairs(NamedTuple):
    """What one query is ranked by.

    Attributes:
        looks: float32 [1 or 2, n, d], the query, and its mirrored look.
        rows: int64 [M], ascending candidates of the query, then ascending ones of the mirrored look.
        mirrored: bool [M], which of the two.
        different_rows: how many there are.
    """

    looks: NDArray[np.float32]
    rows: Rows
    mirrored: NDArray[np.bool_]
    different_rows: int


class ExactReranker(Reranker):
    """Ranks queries in so many threads, with scratch of its own for each.

    What it returns depends on the query, its mirrored look, the sets of candidates and K alone: not on threads, on the
    other queries of a call, or on the order of candidates, bit for bit; nor, with int8 tokens, on the processor
    (`topk` says why).
    """

    def __init__(self, tokens: TokenStore, threads: int = 1, scale: float = 1.0) -> None:
        """Compile the kernel, or load it compiled, so that the first query does not wait for that.

        Args:
            tokens: int8 [rows, n, d], d at most 256, or float16 or float32 [rows, n, d], d at most 4,096, the training
                images' tokens, in memory or mapped.
            threads: that rank queries side by side.
            scale: how many units of tokens make one of distance: W1 is divided by it.

        Raises:
            ValueError: the tokens are something else, or the scale is not a positive number.
        """
        if not 0.0 < scale < np.inf:
            raise ValueError(f"the scale of tokens is {scale}, and has to be a positive number")
        self._store = stored_tokens(tokens)
        self._tokens = tokens
        self._query_dtype = np.dtype(np.int8 if tokens.dtype == np.int8 else np.float32)
        self._scale = scale
        self._scratch = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rerank") if threads > 1 else None
        if len(tokens):
            self.nearest([tokens[0].astype(self._query_dtype)], [np.zeros(1, np.int64)], 1)

    @override
    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[Rows],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        """Rank each query's candidates.

        Args:
            queries: [n, d] each, the generated images' tokens, int8 if the index's are, or else float32; their number
                may differ from the index's.
            candidates: int64 [M] each, rows of the recalled training images, in any order; none only beside a mirrored
                look that has some.
            contributors: K; all different rows are returned where there are fewer.
            mirrored: each query's mirrored look, if it has one; None where none has.

        Raises:
            ValueError: a query is not finite or of another dtype or size, it has no candidate, one twice or one that
                is not in the store, its mirrored look is of another shape, or K is below 1. Nothing was computed then.
        """
        if contributors < 1:
            raise ValueError(f"the number of contributors is {contributors}, and has to be 1 at least")
        looks = [None] * len(queries) if mirrored is None else mirrored
        pairs = [
            self._checked(f"query {place}", *each)
            for place, each in enumerate(zip(queries, candidates, looks, strict=True))
        ]
        if self._pool is None:
            return [self._rank(each, contributors) for each in pairs]
        return list(self._pool.map(self._rank, pairs, [contributors] * len(pairs)))

    def _checked(self, name: str, query: Tokens, rows: Rows, mirrored: MirroredLook | None) -> Pairs:
        """Return what a query is ranked by."""
        self._check_tokens(name, query)
        plain = self._ascending(name, rows)
        if mirrored is None:
            looks, turned = [query], _NO_ROWS
        else:
            self._check_tokens(f"the mirrored look of {name}", mirrored.tokens)
            if mirrored.tokens.shape != query.shape:
                raise ValueError(f"{name} is {query.shape}, and its mirrored look {mirrored.tokens.shape}")
            looks = [query, mirrored.tokens]
            turned = self._ascending(f"the mirrored look of {name}", mirrored.candidates)
        rows = np.concatenate((plain, turned))
        if not len(rows):
            raise ValueError(f"{name} has no candidates; M has to be above 0")
        different_rows = len(np.unique(rows)) if len(turned) else len(plain)
        return Pairs(np.array(looks, np.float32), rows, np.arange(len(rows)) >= len(plain), different_rows)

    def _check_tokens(self, name: str, tokens: Tokens) -> None:
        size, dtype = self._tokens.shape[2], self._query_dtype
        if tokens.dtype != dtype or tokens.ndim != 2 or tokens.shape[0] == 0 or tokens.shape[1] != size:
            raise ValueError(f"{name} is {tokens.dtype} {tokens.shape}, not {dtype} [n, {size}], n at least 1")
        if not np.isfinite(tokens).all():
            raise ValueError(f"{name} holds NaN or infinity")

    def _ascending(self, name: str, rows: Rows) -> Rows:
        if rows.dtype != np.int64 or rows.ndim != 1:
            raise ValueError(f"the candidates of {name} are {rows.dtype} {rows.shape}, not int64 [M]")
        ascending = np.sort(rows)
        if len(rows) and (ascending[0] < 0 or ascending[-1] >= len(self._tokens)):
            raise ValueError(f"{name} has candidates outside the store's {len(self._tokens):,} rows")
        if (ascending[1:] == ascending[:-1]).any():
            raise ValueError(f"{name} has a candidate twice")
        return ascending

    def _rank(self, pairs: Pairs, contributors: int) -> Ranking:
        """Rank the candidates of a checked query."""
        contributors = min(contributors, pairs.different_rows)
        if pairs.looks.shape[1] == self._tokens.shape[1]:
            scratch = self._scratch_for(len(pairs.rows))
            first_mirrored = len(pairs.rows) - int(pairs.mirrored.sum())
            found = find_nearest(self._store, pairs.rows, first_mirrored, pairs.looks, contributors, scratch)
            if found != _OUT_OF_RANGE:
                settled, distances = scratch.settled[:found], scratch.distances[:found].copy()
                for place in np.flatnonzero(~scratch.proven[:found]):
                    distances[place] = self._transport(pairs, settled[place])
                ended = dict(zip(Step, scratch.counts.tolist(), strict=True))
                return self._in_order(pairs.rows[settled], pairs.mirrored[settled], distances, contributors, ended)
        distances = np.array([self._transport(pairs, place) for place in range(len(pairs.rows))])
        return self._in_order(pairs.rows, pairs.mirrored, distances, contributors, None)

    def _transport(self, pairs: Pairs, place: int) -> float:
        row = pairs.rows[place]
        candidate = self._tokens[row].astype(np.float64)
        if not np.isfinite(candidate).all():
            raise ValueError(f"row {row} of the token store is not finite; build the index again")
        return w1(pairs.looks[int(pairs.mirrored[place])].astype(np.float64), candidate)

    def _in_order(
        self,
        rows: Rows,
        mirrored: NDArray[np.bool_],
        distances: NDArray[np.float64],
        contributors: int,
        ended: dict[Step, int] | None,
    ) -> Ranking:
        """Return the first of them."""
        order = np.empty(len(rows), np.int64)
        count = order_by_distance(rows, mirrored, distances, order)
        first = order[: min(count, contributors)]
        return Ranking(rows[first], distances[first] / self._scale, mirrored[first], ended)

    def _scratch_for(self, pairs: int) -> Scratch:
        """Return this thread's scratch, made larger where it is too small."""
        scratch: Scratch | None = getattr(self._scratch, "arrays", None)
        if scratch is None or len(scratch.bounds) < pairs:
            scratch = self._scratch.arrays = new_scratch(pairs, *self._tokens.shape[1:])
        return scratch
