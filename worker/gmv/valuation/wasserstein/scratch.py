"""What one thread needs to re-rank one event at a time, allocated once and used again."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.wasserstein.assignment import Search, new_search
from gmv.valuation.wasserstein.certificate import Proof, new_proof

KEPT_MAX: Final = 128
"""Candidates whose squared costs are kept between the first look at all and the second at the near ones, of which
there are about 50 at M = 100 and 110 at M = 500. To keep all 500 takes longer, as they go out to slower caches."""

KEPT_BYTES_MAX: Final = 24 * 2**20
"""Of those. What is not kept and turns out to be needed is computed again."""

GROUP_TOKENS: Final = 512
"""Tokens of candidates multiplied with the query's at once: 8 sets of 64 take three quarters of the time of 8 single
products, 2 sets of 196 no less than two."""


class Scratch(NamedTuple):
    """Arrays for M candidates of n tokens of d numbers, S of whose squared costs are kept.

    Attributes:
        query: float32 [n, d].
        query_transposed: float32 [d, n].
        query_norms: float32 [n].
        tokens: float32 [G, n, d], of a group of candidates.
        flat_tokens: float32 [G, n d], a view of them.
        token_bits: int32 [G, n d], a view of them.
        norms: float32 [G, n], of the group.
        products: float32 [G n, n], of the group's tokens with the query's.
        squares: float32 [S, n, n].
        kept_by: int64 [S], the candidate whose squares are kept, or -1.
        kept_in: int64 [M], where a candidate's squares are kept, or -1.
        minima: float32 [M, n], the least squared cost of each query token.
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
    query_transposed: NDArray[np.float32]
    query_norms: NDArray[np.float32]
    tokens: NDArray[np.float32]
    flat_tokens: NDArray[np.float32]
    token_bits: NDArray[np.int32]
    norms: NDArray[np.float32]
    products: NDArray[np.float32]
    squares: NDArray[np.float32]
    kept_by: NDArray[np.int64]
    kept_in: NDArray[np.int64]
    minima: NDArray[np.float32]
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
    return max(1, min(candidates, KEPT_MAX, KEPT_BYTES_MAX // (4 * tokens * tokens)))


def group_members(tokens: int) -> int:
    """Return G, how many candidates' tokens are multiplied with the query's at once."""
    return max(1, GROUP_TOKENS // tokens)


def scratch_bytes(candidates: int, tokens: int, token_size: int) -> int:
    """Return the bytes of scratch for M candidates of n tokens of d numbers, but for some 100 (n + M).

    4 n ((S + G + 5) n + (G + 2) d + G + 5 M): 23 MB at M = 500, n = 196, d = 64.
    """
    kept, group = kept_places(candidates, tokens), group_members(tokens)
    return 4 * tokens * ((kept + group + 5) * tokens + (group + 2) * token_size + group + 5 * candidates)


def new_scratch(candidates: int, tokens: int, token_size: int) -> Scratch:
    """Allocate scratch for M candidates of n tokens of d numbers: `scratch_bytes` of it."""
    square = np.empty((kept_places(candidates, tokens), tokens, tokens), np.float32)
    group = group_members(tokens)
    token_sets = np.empty((group, tokens, token_size), np.float32)
    flat = token_sets.reshape(group, -1)
    minima = np.empty((candidates, tokens), np.float32)
    return Scratch(
        query=np.empty((tokens, token_size), np.float32),
        query_transposed=np.empty((token_size, tokens), np.float32),
        query_norms=np.empty(tokens, np.float32),
        tokens=token_sets,
        flat_tokens=flat,
        token_bits=flat.view(np.int32),
        norms=np.empty((group, tokens), np.float32),
        products=np.empty((group * tokens, tokens), np.float32),
        squares=square,
        kept_by=np.empty(len(square), np.int64),
        kept_in=np.empty(candidates, np.int64),
        minima=minima,
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
