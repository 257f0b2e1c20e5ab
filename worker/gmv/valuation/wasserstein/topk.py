"""Of M candidates, those that may be among the K nearest to a query by W1, each with its exact distance.

1. Squared costs between the query's tokens and each candidate's, in float32, never above the true ones (`cost`).
2. The relaxed bound of each: every token to its nearest (`bounds`).
3. Candidates in the order of that bound. The K-th least total found so far is the threshold.
4. Discard by the relaxed bound.
5. Discard by the half bound: half of each column's minimum as its dual, then rows, then columns made tight.
6. Discard by dual ascent from there (`ascent`).
7. Assign, from the duals reached, unless the dual value shows on the way that it is too costly (`assignment`).
8. The total cost of an assignment, in float64 from the tokens, is never below the least one and moves the threshold.
9. What is left gets a certificate that its assignment is optimal (`certificate`).

A candidate is discarded only where a bound proves that its distance is above the threshold by more than a tie.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.ranking import Step
from gmv.valuation.wasserstein.ascent import ascend
from gmv.valuation.wasserstein.assignment import assign
from gmv.valuation.wasserstein.bounds import half_bound, relaxed_bound, tighten_rows
from gmv.valuation.wasserstein.certificate import is_optimal, total_cost
from gmv.valuation.wasserstein.cost import are_moderate, lower, square_roots, squared_norms
from gmv.valuation.wasserstein.packed import pack, squared_costs
from gmv.valuation.wasserstein.scratch import Scratch
from gmv.valuation.wasserstein.ties import TIE
from gmv.valuation.wasserstein.tokens import StoredTokens, load

_THRESHOLD_SLACK: Final = 1.0 + 4 * TIE
_ROUNDS: Final = 10
"""Of ascent, at most."""

_FIRST_RATIO: Final = 1.03
"""Of a least total to its half bound, before there is a running mean of it."""

_LIKELY: Final = 1.04
"""How far above the threshold the total may be that half bound and mean ratio let expect, or below, for the ascent to
be worth its rounds. As a start for an assignment that is needed anyway it is not: 655 us a search without, 720 with."""

_TARGET: Final = 1.0005
"""Of an ascent, relative to the threshold it has to pass."""

_NONE: Final = 1e300


@fast
def find_nearest(
    store: StoredTokens,
    rows: NDArray[np.int64],
    query: NDArray[np.float32],
    contributors: int,
    scratch: Scratch,
) -> int:
    """Leave in the scratch all candidates that may be among the nearest: `settled`, `distances`, `proven`.

    Args:
        store: of tokens.
        rows: int64 [M], ascending, so that the answer does not depend on the order they came in.
        query: float32 [n, d], finite.
        contributors: K, 1 to M.
        scratch: for at least M candidates.

    Returns:
        How many; -1 where a token is too long for float32, or not finite.
    """
    scratch.counts[:] = 0
    if not prepare(query, scratch):
        return -1
    if not _look_at_all(store, rows, scratch):
        return -1
    order = np.argsort(scratch.bounds[: rows.shape[0]], kind="mergesort")
    solved = _search(store, rows, order, contributors, scratch)
    return _settle(store, rows, solved, contributors, scratch)


@fast
def prepare(query: NDArray[np.float32], scratch: Scratch) -> bool:
    """Lay a query out, float32 [n, d]; False where a token is too long for float32, or not finite."""
    scratch.query[:] = query
    pack(query, scratch.packed)
    norms = scratch.packed.norms[: query.shape[0]]
    is_moderate = are_moderate(norms)
    lower(norms, query.shape[1])
    return is_moderate


@fast
def _look_at_all(store: StoredTokens, rows: NDArray[np.int64], scratch: Scratch) -> bool:
    """Steps 1 and 2; False where a token is out of range.

    One place of the squares is free at any time, and the next candidate's are written there.
    """
    free = 0
    kept = 0
    farthest = -1
    for candidate in range(rows.shape[0]):
        if not square(store, rows[candidate], scratch.squares[free], scratch.column_minima[candidate], scratch):
            return False
        bound = relaxed_bound(scratch.row_minima[: scratch.query.shape[0]], scratch.column_minima[candidate])
        scratch.bounds[candidate] = bound
        scratch.kept_in[candidate] = -1
        if kept < scratch.squares.shape[0] - 1:
            _keep(candidate, free, scratch)
            kept += 1
            free = kept
            continue
        if farthest < 0:
            farthest = _place_of_farthest(free, scratch)
        if bound < scratch.bounds[scratch.kept_by[farthest]]:
            scratch.kept_in[scratch.kept_by[farthest]] = -1
            _keep(candidate, free, scratch)
            free = farthest
            farthest = -1
    scratch.free[0] = free
    return True


@fast
def _keep(candidate: int, place: int, scratch: Scratch) -> None:
    scratch.kept_in[candidate] = place
    scratch.kept_by[place] = candidate


@fast
def _place_of_farthest(free: int, scratch: Scratch) -> int:
    """Return where the candidate with the greatest bound is kept, of all places but the free one."""
    farthest = -1
    greatest = -1.0
    for place in range(scratch.squares.shape[0]):
        if place != free and scratch.bounds[scratch.kept_by[place]] > greatest:
            farthest = place
            greatest = scratch.bounds[scratch.kept_by[place]]
    return farthest


@fast
def square(
    store: StoredTokens,
    row: int,
    squares: NDArray[np.float32],
    column_minima: NDArray[np.float32],
    scratch: Scratch,
) -> bool:
    """Write an image's squared costs to the query, and their minima; False where a token is out of range."""
    count, size = scratch.query.shape
    if not load(store, row, scratch.tokens.all):
        return False
    norms = scratch.tokens.norms[:count]
    squared_norms(scratch.tokens.all[:count], norms)
    if not are_moderate(norms):
        return False
    lower(norms, size)
    squared_costs(scratch.tokens, scratch.packed, squares, scratch.row_minima, column_minima)
    return True


@fast
def _compute_costs(store: StoredTokens, rows: NDArray[np.int64], candidate: int, scratch: Scratch) -> None:
    """Take the costs of a candidate from its squares, which are computed again where they were not kept."""
    place = scratch.kept_in[candidate]
    if place < 0:
        place = scratch.free[0]
        square(store, rows[candidate], scratch.squares[place], scratch.column_minima[candidate], scratch)
    square_roots(scratch.squares[place], scratch.costs)


@fast
def _search(
    store: StoredTokens,
    rows: NDArray[np.int64],
    order: NDArray[np.int64],
    contributors: int,
    scratch: Scratch,
) -> int:
    """Steps 4 to 8. Returns how many candidates were assigned."""
    scratch.cheapest[:contributors] = _NONE
    ratio = _FIRST_RATIO
    solved = 0
    for place in range(order.shape[0]):
        candidate = order[place]
        threshold = scratch.cheapest[contributors - 1] * _THRESHOLD_SLACK
        if scratch.bounds[candidate] > threshold:  # and so are those of all that follow
            scratch.counts[Step.RELAXED] += order.shape[0] - place
            break
        _compute_costs(store, rows, candidate, scratch)
        bound = half_bound(scratch.costs, scratch.column_minima[candidate], scratch.rows, scratch.columns)
        if bound > threshold:
            scratch.counts[Step.HALF] += 1
            continue
        if bound * ratio * _LIKELY > threshold and _ascend(threshold, scratch) > threshold:
            scratch.counts[Step.ASCENT] += 1
            continue
        if not assign(scratch.costs, scratch.columns, threshold, scratch.column_of, scratch.search):
            scratch.counts[Step.SEARCH] += 1
            continue
        load(store, rows[candidate], scratch.tokens.all)
        total = total_cost(
            scratch.tokens.all[: scratch.query.shape[0]],
            scratch.query,
            scratch.column_of,
            scratch.solved_costs[solved],
            scratch.proof.squares,
        )
        _record(solved, candidate, total, contributors, scratch)
        if bound > 0.0:
            ratio += (total / bound - ratio) * (0.5 if solved == 0 else 0.2)
        solved += 1
    return solved


@fast
def _ascend(threshold: float, scratch: Scratch) -> float:
    return ascend(
        scratch.costs,
        scratch.rows,
        scratch.columns,
        threshold * _TARGET,
        threshold,
        _ROUNDS,
        scratch.direction,
        scratch.best,
    )


@fast
def _record(solved: int, candidate: int, total: float, contributors: int, scratch: Scratch) -> None:
    """Keep an assignment, and the K least totals in order."""
    scratch.solved[solved] = candidate
    scratch.solved_totals[solved] = total
    scratch.solved_columns[solved] = scratch.columns
    for row in range(scratch.column_of.shape[0]):
        scratch.solved_column_of[solved, row] = scratch.column_of[row]
    if total < scratch.cheapest[contributors - 1]:
        place = contributors - 1
        while place > 0 and scratch.cheapest[place - 1] > total:
            scratch.cheapest[place] = scratch.cheapest[place - 1]
            place -= 1
        scratch.cheapest[place] = total


@fast
def _settle(store: StoredTokens, rows: NDArray[np.int64], solved: int, contributors: int, scratch: Scratch) -> int:
    """Step 9. Returns how many candidates are left."""
    threshold = scratch.cheapest[contributors - 1] * _THRESHOLD_SLACK
    settled = 0
    for place in range(solved):
        candidate = scratch.solved[place]
        _compute_costs(store, rows, candidate, scratch)
        columns = scratch.solved_columns[place]
        if scratch.solved_totals[place] > threshold:
            bound = tighten_rows(scratch.costs, columns, scratch.rows)
            if bound > threshold:
                scratch.counts[Step.SUPERSEDED] += 1
                continue
        scratch.settled[settled] = candidate
        scratch.distances[settled] = scratch.solved_totals[place] / scratch.column_of.shape[0]
        scratch.proven[settled] = _certify(store, rows[candidate], place, scratch)
        scratch.counts[Step.CERTIFIED if scratch.proven[settled] else Step.UNPROVEN] += 1
        settled += 1
    return settled


@fast
def _certify(store: StoredTokens, row: int, place: int, scratch: Scratch) -> bool:
    load(store, row, scratch.tokens.all)
    for token in range(scratch.column_of.shape[0]):
        scratch.column_of[token] = scratch.solved_column_of[place, token]
    return is_optimal(
        scratch.tokens.all[: scratch.query.shape[0]],
        scratch.query,
        scratch.costs,
        scratch.solved_columns[place],
        scratch.column_of,
        scratch.solved_costs[place],
        scratch.proof,
    )
