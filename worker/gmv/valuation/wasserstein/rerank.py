"""The exact re-rank: of M recalled training images, the K nearest to the query by W1, for many queries at once."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Final

import numpy as np
from typing_extensions import override

from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Step, Tokens
from gmv.valuation.wasserstein.checked import Checked, QueryCheck, Rows
from gmv.valuation.wasserstein.run import OUT_OF_RANGE, Found, Run, new_found, order_run, rank_run
from gmv.valuation.wasserstein.scratch import Scratch, new_scratch
from gmv.valuation.wasserstein.ties import order_by_distance
from gmv.valuation.wasserstein.tokens import TokenStore, stored_tokens
from gmv.valuation.wasserstein.transport import w1

_STEPS: Final = tuple(Step)

_LOOK_BYTES_MAX: Final = 2**22
"""Of the looks that are laid out for one call of the kernel: 128 queries of 64 tokens of 64 numbers."""

_TURNS: Final = 4
"""Calls that a thread gets, about: where it has many queries, the last to be done waits for a quarter of them."""


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
        query_dtype = np.dtype(np.int8 if tokens.dtype == np.int8 else np.float32)
        self._check = QueryCheck(len(tokens), tokens.shape[2], query_dtype)
        self._scale = scale
        self._scratch = threading.local()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rerank") if threads > 1 else None
        if len(tokens):
            self.nearest([tokens[0].astype(query_dtype)], [np.zeros(1, np.int64)], 1)

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
        checked = self._check.checked(queries, candidates, mirrored)
        pieces = self._pieces(checked)
        rank = self._pool.map if self._pool else map
        return [ranking for ranked in rank(self._rank, pieces, [contributors] * len(pieces)) for ranking in ranked]

    def _pieces(self, queries: Sequence[Checked]) -> list[Sequence[Checked]]:
        """Cut a call's queries into what one call of the kernel takes: all of as many tokens as the index, or one."""
        count, size = self._tokens.shape[1:]
        length = max(1, _LOOK_BYTES_MAX // (2 * 4 * count * size))
        if self._pool:
            length = min(length, -(-len(queries) // (_TURNS * self._threads)))
        pieces: list[list[Checked]] = []
        for query in queries:
            is_usual = len(query.looks[0]) == count
            if is_usual and pieces and len(pieces[-1]) < length and len(pieces[-1][0].looks[0]) == count:
                pieces[-1].append(query)
            else:
                pieces.append([query])
        return list(pieces)

    def _rank(self, queries: Sequence[Checked], contributors: int) -> list[Ranking]:
        """Rank the queries of a piece."""
        if len(queries[0].looks[0]) != self._tokens.shape[1]:
            return [self._solved(query, contributors) for query in queries]
        run = self._laid_out(queries)
        found = new_found(run)
        rank_run(self._store, run, contributors, self._scratch_for(max(len(query.rows) for query in queries)), found)
        for place, query in enumerate(queries):
            self._prove(query, int(run.starts[place]), int(found.counts[place]), found)
        order_run(run, self._scale, found)
        counts, starts, ended = found.counts.tolist(), run.starts.tolist(), found.ended.tolist()
        return [
            self._solved(query, contributors)
            if counts[place] == OUT_OF_RANGE
            else _first(found, starts[place], min(counts[place], contributors), ended[place])
            for place, query in enumerate(queries)
        ]

    def _laid_out(self, queries: Sequence[Checked]) -> Run:
        looks = np.empty((len(queries), 2, *self._tokens.shape[1:]), np.float32)
        for place, query in enumerate(queries):
            for look, tokens in enumerate(query.looks):
                looks[place, look] = tokens
        starts = np.array(list(accumulate((len(query.rows) for query in queries), initial=0)), np.int64)
        plain = np.array([query.plain for query in queries], np.int64)
        return Run(looks, np.concatenate([query.rows for query in queries]), starts, starts[:-1] + plain)

    def _prove(self, query: Checked, start: int, count: int, found: Found) -> None:
        """Have the general solver say the distances that got no certificate."""
        if count > 0 and not found.proven[start : start + count].all():
            for place in start + np.flatnonzero(~found.proven[start : start + count]):
                look = query.looks[int(found.mirrored[place])]
                found.distances[place] = self._transport(look, found.rows[place])

    def _solved(self, query: Checked, contributors: int) -> Ranking:
        """Rank a query by the general solver alone."""
        mirrored = np.arange(len(query.rows)) >= query.plain
        looks = [query.looks[int(turned)] for turned in mirrored]
        distances = np.array([self._transport(*each) for each in zip(looks, query.rows, strict=True)])
        order = np.empty(len(query.rows), np.int64)
        first = order[: min(order_by_distance(query.rows, mirrored, distances, order), contributors)]
        return Ranking(query.rows[first], distances[first] / self._scale, mirrored[first], None)

    def _transport(self, look: Tokens, row: np.int64) -> float:
        candidate = self._tokens[row].astype(np.float64)
        if not np.isfinite(candidate).all():
            raise ValueError(f"row {row} of the token store is not finite; build the index again")
        return w1(look.astype(np.float64), candidate)

    def _scratch_for(self, pairs: int) -> Scratch:
        """Return this thread's scratch, made larger where it is too small."""
        scratch: Scratch | None = getattr(self._scratch, "arrays", None)
        if scratch is None or len(scratch.bounds) < pairs:
            scratch = self._scratch.arrays = new_scratch(pairs, *self._tokens.shape[1:])
        return scratch


def _first(found: Found, start: int, count: int, ended: Sequence[int]) -> Ranking:
    """Return the first of what was found, in order, of a query."""
    first = slice(start, start + count)
    steps = dict(zip(_STEPS, ended, strict=True))
    return Ranking(found.rows[first], found.distances[first], found.mirrored[first], steps)
