"""What one thread needs to re-rank one event at a time, allocated once and used again."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.wasserstein.assignment import Search, new_search
from gmv.valuation.wasserstein.certificate import Proof, new_proof
from gmv.valuation.wasserstein.packed import (
    PackedQuery,
    PaddedTokens,
    new_packed_query,
    new_padded_tokens,
    padded_columns,
    padded_rows,
)

KEPT_MAX: Final = 128
"""Candidates whose squared costs are kept between the first look at all and the second at the near ones, of which
there are about 50 at M = 100 and 110 at M = 500. To keep all 500 takes longer, as they go out to slower caches."""

KEPT_BYTES_MAX: Final = 24 * 2**20
"""Of those. What is not kept and turns out to be needed is computed again."""


class Scratch(NamedTuple):
    """Arrays for M candidates of n tokens of d numbers, S of whose squared costs are kept.

    Where tiles read or write, n is rounded up: to r rows and c columns.

    Attributes:
        query: float32 [n, d].
        packed: the query.
        tokens: of a candidate.
        squares: float32 [S + 1, r, c].
        free: int64 [1], which place of the squares is free.
        kept_by: int64 [S + 1], the candidate whose squares are kept.
        kept_in: int64 [M], where a candidate's squares are kept, or -1.
        row_minima: float32 [r], the least squared cost of each token of one candidate.
        column_minima: float32 [M, c], the least squared cost of each query token.
        bounds: float64 [M], relaxed bounds.
        costs: float32 [n, n], of one candidate.
        rows: float32 [n], its row duals.
        columns: float32 [n], its column duals.
        direction: float32 [n].
        best: float32 [n].
        search: of an assignment.
        column_of: int64 [n], an assignment.
        proof: of an assignment.
        solved: int64 [M], candidates that were assigned.
        solved_columns: float32 [M, n], their column duals.
        solved_column_of: int32 [M, n], their assignments.
        solved_costs: float64 [M, n], the costs they match.
        solved_totals: float64 [M], the sums of those.
        cheapest: float64 [M], the least totals so far, in order.
        settled: int64 [M], candidates that may be among the nearest.
        distances: float64 [M], of those.
        proven: bool [M], whether a certificate was found for those.
        counts: int64 [7], how many candidates each `ranking.Step` ended.
    """

    query: NDArray[np.float32]
    packed: PackedQuery
    tokens: PaddedTokens
    squares: NDArray[np.float32]
    free: NDArray[np.int64]
    kept_by: NDArray[np.int64]
    kept_in: NDArray[np.int64]
    row_minima: NDArray[np.float32]
    column_minima: NDArray[np.float32]
    bounds: NDArray[np.float64]
    costs: NDArray[np.float32]
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    direction: NDArray[np.float32]
    best: NDArray[np.float32]
    search: Search
    column_of: NDArray[np.int64]
    proof: Proof
    solved: NDArray[np.int64]
    solved_columns: NDArray[np.float32]
    solved_column_of: NDArray[np.int32]
    solved_costs: NDArray[np.float64]
    solved_totals: NDArray[np.float64]
    cheapest: NDArray[np.float64]
    settled: NDArray[np.int64]
    distances: NDArray[np.float64]
    proven: NDArray[np.bool_]
    counts: NDArray[np.int64]


def kept_places(candidates: int, tokens: int) -> int:
    """Return S, for how many candidates squared costs are kept."""
    return max(1, min(candidates, KEPT_MAX, KEPT_BYTES_MAX // (4 * padded_rows(tokens) * padded_columns(tokens))))


def scratch_bytes(candidates: int, tokens: int, token_size: int) -> int:
    """Return the bytes of scratch for M candidates of n tokens of d numbers, but for some 100 (n + M).

    4 ((S + 1) r c + (r + c + n) d + 5 n n + M (c + 4 n)): 24 MB at M = 500, n = 196, d = 64.
    """
    kept, rows, columns = kept_places(candidates, tokens), padded_rows(tokens), padded_columns(tokens)
    laid_out = (kept + 1) * rows * columns + (rows + columns + tokens) * token_size
    return 4 * (laid_out + 5 * tokens * tokens + candidates * (columns + 4 * tokens))


def new_scratch(candidates: int, tokens: int, token_size: int) -> Scratch:
    """Allocate scratch for M candidates of n tokens of d numbers: `scratch_bytes` of it."""
    places = kept_places(candidates, tokens) + 1
    rows, columns = padded_rows(tokens), padded_columns(tokens)
    return Scratch(
        query=np.empty((tokens, token_size), np.float32),
        packed=new_packed_query(tokens, token_size),
        tokens=new_padded_tokens(tokens, token_size),
        squares=np.empty((places, rows, columns), np.float32),
        free=np.empty(1, np.int64),
        kept_by=np.empty(places, np.int64),
        kept_in=np.empty(candidates, np.int64),
        row_minima=np.empty(rows, np.float32),
        column_minima=np.empty((candidates, columns), np.float32),
        bounds=np.empty(candidates, np.float64),
        costs=np.empty((tokens, tokens), np.float32),
        rows=np.empty(tokens, np.float32),
        columns=np.empty(tokens, np.float32),
        direction=np.empty(tokens, np.float32),
        best=np.empty(tokens, np.float32),
        search=new_search(tokens),
        column_of=np.empty(tokens, np.int64),
        proof=new_proof(tokens, token_size),
        solved=np.empty(candidates, np.int64),
        solved_columns=np.empty((candidates, tokens), np.float32),
        solved_column_of=np.empty((candidates, tokens), np.int32),
        solved_costs=np.empty((candidates, tokens), np.float64),
        solved_totals=np.empty(candidates, np.float64),
        cheapest=np.empty(candidates, np.float64),
        settled=np.empty(candidates, np.int64),
        distances=np.empty(candidates, np.float64),
        proven=np.empty(candidates, np.bool_),
        counts=np.empty(7, np.int64),
    )
