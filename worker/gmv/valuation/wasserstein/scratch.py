"""What one thread needs to re-rank one event at a time, allocated once and used again."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.processor import multiplies_bytes
from gmv.valuation.wasserstein.ascent import AscentScratch, new_ascent
from gmv.valuation.wasserstein.assignment import Search, new_search
from gmv.valuation.wasserstein.certificate import Proof, new_proof
from gmv.valuation.wasserstein.packed import (
    PackedLooks,
    PaddedTokens,
    new_packed_looks,
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
    """Arrays for M pairs of a candidate and a look, of n tokens of d numbers, S of whose squared costs are kept.

    Where tiles read or write, n is rounded up: to r rows and c columns.

    Attributes:
        looks: float32 [2, n, d], the query and its mirrored look.
        packed: the looks.
        longest: float32 [2], the greatest squared length of a token of each look.
        tokens: of a candidate.
        squares: float32 [S + 1, r, c].
        free: int64 [1], which place of the squares is free.
        kept_by: int64 [S + 1], the pair whose squares are kept.
        kept_in: int64 [M], where a pair's squares are kept, or -1.
        row_minima: float32 [r], the least squared cost of each token of one candidate.
        column_minima: float32 [M, c], the least squared cost of each query token.
        units: float64 [M], that costs are counted in.
        bounds: float64 [M], relaxed bounds.
        costs: int32 [n, n], of one pair.
        rows: int32 [n], its row duals.
        columns: int32 [n], its column duals.
        halves: int32 [n], of its columns' least costs.
        ascent: of its duals.
        search: of an assignment.
        column_of: int64 [n], an assignment.
        proof: of an assignment.
        solved: int64 [M], pairs that were assigned.
        solved_columns: int32 [M, n], their column duals.
        solved_column_of: int32 [M, n], their assignments.
        solved_costs: float64 [M, n], the costs they match.
        solved_totals: float64 [M], the sums of those.
        cheapest: float64 [M], the least totals of different rows so far, in order.
        cheapest_row: int64 [M], the rows.
        settled: int64 [M], pairs that may be among the nearest.
        distances: float64 [M], of those.
        proven: bool [M], whether a certificate was found for those.
        counts: int64 [7], how many pairs each `ranking.Step` ended.
    """

    looks: NDArray[np.float32]
    packed: PackedLooks
    longest: NDArray[np.float32]
    tokens: PaddedTokens
    squares: NDArray[np.float32]
    free: NDArray[np.int64]
    kept_by: NDArray[np.int64]
    kept_in: NDArray[np.int64]
    row_minima: NDArray[np.float32]
    column_minima: NDArray[np.float32]
    units: NDArray[np.float64]
    bounds: NDArray[np.float64]
    costs: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    halves: NDArray[np.int32]
    ascent: AscentScratch
    search: Search
    column_of: NDArray[np.int64]
    proof: Proof
    solved: NDArray[np.int64]
    solved_columns: NDArray[np.int32]
    solved_column_of: NDArray[np.int32]
    solved_costs: NDArray[np.float64]
    solved_totals: NDArray[np.float64]
    cheapest: NDArray[np.float64]
    cheapest_row: NDArray[np.int64]
    settled: NDArray[np.int64]
    distances: NDArray[np.float64]
    proven: NDArray[np.bool_]
    counts: NDArray[np.int64]


def kept_places(pairs: int, tokens: int) -> int:
    """Return S, for how many pairs squared costs are kept."""
    return max(1, min(pairs, KEPT_MAX, KEPT_BYTES_MAX // (4 * padded_rows(tokens) * padded_columns(tokens))))


def scratch_bytes(pairs: int, tokens: int, token_size: int) -> int:
    """Return the bytes of scratch for M pairs of n tokens of d numbers, but for some 100 (n + M).

    4 ((S + 1) r c + (1.5 r + 3 c + 2 n) d + 5 n n + M (c + 4 n)): 24 MB at M = 500, n = 196, d = 64.
    """
    kept, rows, columns = kept_places(pairs, tokens), padded_rows(tokens), padded_columns(tokens)
    laid_out = (kept + 1) * rows * columns + (3 * rows // 2 + 3 * columns + 2 * tokens) * token_size
    return 4 * (laid_out + 5 * tokens * tokens + pairs * (columns + 4 * tokens))


def new_scratch(pairs: int, tokens: int, token_size: int) -> Scratch:
    """Allocate scratch for M pairs of n tokens of d numbers: `scratch_bytes` of it."""
    places = kept_places(pairs, tokens) + 1
    as_bytes = multiplies_bytes()
    rows, columns = padded_rows(tokens), padded_columns(tokens)
    return Scratch(
        looks=np.empty((2, tokens, token_size), np.float32),
        packed=new_packed_looks(tokens, token_size, as_bytes),
        longest=np.empty(2, np.float32),
        tokens=new_padded_tokens(tokens, token_size, as_bytes),
        squares=np.empty((places, rows, columns), np.float32),
        free=np.empty(1, np.int64),
        kept_by=np.empty(places, np.int64),
        kept_in=np.empty(pairs, np.int64),
        row_minima=np.empty(rows, np.float32),
        column_minima=np.empty((pairs, columns), np.float32),
        units=np.empty(pairs, np.float64),
        bounds=np.empty(pairs, np.float64),
        costs=np.empty((tokens, tokens), np.int32),
        rows=np.empty(tokens, np.int32),
        columns=np.empty(tokens, np.int32),
        halves=np.empty(tokens, np.int32),
        ascent=new_ascent(tokens),
        search=new_search(tokens),
        column_of=np.empty(tokens, np.int64),
        proof=new_proof(tokens, token_size),
        solved=np.empty(pairs, np.int64),
        solved_columns=np.empty((pairs, tokens), np.int32),
        solved_column_of=np.empty((pairs, tokens), np.int32),
        solved_costs=np.empty((pairs, tokens), np.float64),
        solved_totals=np.empty(pairs, np.float64),
        cheapest=np.empty(pairs, np.float64),
        cheapest_row=np.empty(pairs, np.int64),
        settled=np.empty(pairs, np.int64),
        distances=np.empty(pairs, np.float64),
        proven=np.empty(pairs, np.bool_),
        counts=np.empty(7, np.int64),
    )
