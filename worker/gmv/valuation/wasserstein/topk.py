"""Of M pairs of a candidate and a look, those that may be the K nearest rows by W1, each with its exact distance.

A query has one look, or two: itself and its mirrored look. A row's distance is the lesser of those of its pairs.

1. Squared costs between the look's tokens and each candidate's, never above the true ones (`cost`).
2. The relaxed bound of each pair: every token to its nearest (`bounds`).
3. Pairs in the order of that bound. The K-th least total of different rows found so far is the threshold, and for the
   other pair of a row that has a lesser one, that one.
4. Discard by the relaxed bound.
5. Discard by the half bound: half of each column's minimum as its dual, then rows, then columns made tight.
6. Discard by dual ascent from there (`ascent`).
7. Assign, from the duals reached, unless the dual value shows on the way that it is too costly (`assignment`).
8. The total cost of an assignment, in float64 from the tokens, is never below the least one and moves the threshold.
9. What is left gets a certificate that its assignment is optimal (`certificate`).

A pair is discarded only where a bound proves that its distance is above the threshold by more than a tie.

**Of int8 tokens, every bit of the answer is the same on every processor.** Squared costs are whole numbers that
float32 holds (`cost`). Costs are their correctly rounded roots, times a number, rounded down: three operations on one
number, which IEEE 754 fixes. From there on, minima, bounds, duals and paths are whole numbers (`fixed`), whose sums are
the same in any order, so that loops may be cut into vectors of any width; of equals the first is taken. What is left in
float64 (thresholds, steps of the ascent, totals, certificates) is compiled by `strict`: one operation after another as
written here, none fused, each rounded correctly. A distance is thus a sum, in the order of the candidate's tokens, of
correctly rounded roots of whole numbers, over an assignment that is found in the same way everywhere. Where none gets a
certificate, SciPy's solver finds it, which adds, subtracts and compares in float64.

Of float tokens, squared costs depend on whether the processor fuses multiplications and additions, and with them which
of equally cheap assignments is found, and the last bit of its distance.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import borrowing, strict
from gmv.valuation.ranking import Step
from gmv.valuation.wasserstein.ascent import ascend
from gmv.valuation.wasserstein.assignment import assign
from gmv.valuation.wasserstein.bounds import half_bound, tighten_rows
from gmv.valuation.wasserstein.certificate import Ground, is_optimal, total_cost
from gmv.valuation.wasserstein.fixed import costs_of, in_units
from gmv.valuation.wasserstein.matrices import bound_all, ground_of, prepare, squares_of
from gmv.valuation.wasserstein.scratch import Scratch
from gmv.valuation.wasserstein.ties import TIE
from gmv.valuation.wasserstein.tokens import StoredTokens

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


@strict
def find_nearest(
    store: StoredTokens,
    rows: NDArray[np.int64],
    first_mirrored: int,
    looks: NDArray[np.float32],
    contributors: int,
    scratch: Scratch,
) -> int:
    """Leave in the scratch all pairs that may be among the nearest: `settled`, `distances`, `proven`.

    Args:
        store: of tokens.
        rows: int64 [M], of the pairs: those of the look as it is, ascending, then those of the mirrored look,
            ascending, so that the answer does not depend on the order they came in.
        first_mirrored: where the latter begin.
        looks: float32 [1 or 2, n, d], finite.
        contributors: K, 1 to M; where rows are fewer, nothing is discarded.
        scratch: for at least M pairs.

    Returns:
        How many; -1 where a token is too long for float32, or not finite.
    """
    scratch.counts[:] = 0
    if not prepare(store, looks, scratch) or not bound_all(store, rows, first_mirrored, scratch):
        return -1
    order = np.argsort(scratch.bounds[: rows.shape[0]], kind="mergesort")
    solved = _search(store, rows, first_mirrored, order, contributors, scratch)
    return _settle(store, rows, first_mirrored, solved, contributors, scratch)


@borrowing
def _search(
    store: StoredTokens,
    rows: NDArray[np.int64],
    first_mirrored: int,
    order: NDArray[np.int64],
    contributors: int,
    scratch: Scratch,
) -> int:
    """Steps 4 to 8. Returns how many pairs were assigned."""
    scratch.cheapest[:contributors] = _NONE
    scratch.cheapest_row[:contributors] = -1
    ratio = _FIRST_RATIO
    solved = int(np.int64(0))  # no literal: see `bound_all`
    for place in range(order.shape[0]):
        pair = order[place]
        row, look, unit = rows[pair], int(pair >= first_mirrored), scratch.units[pair]
        if scratch.bounds[pair] > scratch.cheapest[contributors - 1] * _THRESHOLD_SLACK:  # and so are all that follow
            scratch.counts[Step.RELAXED] += order.shape[0] - place
            break
        threshold = in_units(_threshold_of(row, contributors, scratch), unit)
        kept = squares_of(store, row, look, pair, scratch)
        bound = _half_bound(pair, scratch.squares[kept], scratch)
        if bound > threshold:
            scratch.counts[Step.HALF] += 1
            continue
        if bound * ratio * _LIKELY > threshold and _ascend(threshold, scratch) > threshold:
            scratch.counts[Step.ASCENT] += 1
            continue
        if not assign(scratch.costs, scratch.columns, threshold, scratch.column_of, scratch.search):
            scratch.counts[Step.SEARCH] += 1
            continue
        ground = ground_of(store, row, look, kept, scratch)
        total = total_cost(ground, scratch.column_of, scratch.solved_costs[solved], scratch.proof.squares)
        _record(solved, pair, total, scratch)
        _lower_threshold(row, total, contributors, scratch)
        if bound > 0:
            ratio += (total / (bound * unit) - ratio) * (0.5 if solved == 0 else 0.2)
        solved += 1
    return solved


@borrowing
def _threshold_of(row: int, contributors: int, scratch: Scratch) -> float:
    """Return the total above which a pair of this row is of no use."""
    cheapest: float = scratch.cheapest[_place_of(row, contributors, scratch)]
    return cheapest * _THRESHOLD_SLACK


@borrowing
def _place_of(row: int, contributors: int, scratch: Scratch) -> int:
    """Return where this row is among the cheapest; the last place, if it is not."""
    place = 0
    while place < contributors - 1 and scratch.cheapest_row[place] != row:
        place += 1
    return place


@borrowing
def _half_bound(pair: int, squares: NDArray[np.float32], scratch: Scratch) -> np.int64:
    return half_bound(
        squares,
        scratch.column_minima[pair],
        scratch.units[pair],
        scratch.costs,
        scratch.rows,
        scratch.columns,
        scratch.halves,
    )


@borrowing
def _ascend(threshold: np.int64, scratch: Scratch) -> np.int64:
    return ascend(
        scratch.costs,
        scratch.rows,
        scratch.columns,
        np.int64(threshold * _TARGET),
        threshold,
        _ROUNDS,
        scratch.ascent,
    )


@borrowing
def _record(solved: int, pair: int, total: float, scratch: Scratch) -> None:
    """Keep an assignment."""
    scratch.solved[solved] = pair
    scratch.solved_totals[solved] = total
    for token in range(scratch.column_of.shape[0]):
        scratch.solved_columns[solved, token] = scratch.columns[token]
        scratch.solved_column_of[solved, token] = scratch.column_of[token]


@borrowing
def _lower_threshold(row: int, total: float, contributors: int, scratch: Scratch) -> None:
    """Keep the K least totals of different rows in order: this row's takes the place of its other, or of the K-th."""
    place = _place_of(row, contributors, scratch)
    if total >= scratch.cheapest[place]:
        return
    while place > 0 and scratch.cheapest[place - 1] > total:
        scratch.cheapest[place] = scratch.cheapest[place - 1]
        scratch.cheapest_row[place] = scratch.cheapest_row[place - 1]
        place -= 1
    scratch.cheapest[place] = total
    scratch.cheapest_row[place] = row


@borrowing
def _settle(
    store: StoredTokens,
    rows: NDArray[np.int64],
    first_mirrored: int,
    solved: int,
    contributors: int,
    scratch: Scratch,
) -> int:
    """Step 9. Returns how many pairs are left."""
    settled = 0
    for place in range(solved):
        pair = scratch.solved[place]
        row, look, unit = rows[pair], int(pair >= first_mirrored), scratch.units[pair]
        threshold = _threshold_of(row, contributors, scratch)
        kept = squares_of(store, row, look, pair, scratch)
        costs_of(scratch.squares[kept], unit, scratch.costs)
        if scratch.solved_totals[place] > threshold:
            bound = tighten_rows(scratch.costs, scratch.solved_columns[place], scratch.rows)
            if bound > in_units(threshold, unit):
                scratch.counts[Step.SUPERSEDED] += 1
                continue
        scratch.settled[settled] = pair
        scratch.distances[settled] = scratch.solved_totals[place] / scratch.column_of.shape[0]
        scratch.proven[settled] = _certify(ground_of(store, row, look, kept, scratch), place, scratch)
        scratch.counts[Step.CERTIFIED if scratch.proven[settled] else Step.UNPROVEN] += 1
        settled += 1
    return settled


@borrowing
def _certify(ground: Ground, place: int, scratch: Scratch) -> bool:
    for token in range(scratch.column_of.shape[0]):
        scratch.column_of[token] = scratch.solved_column_of[place, token]
    return is_optimal(
        ground,
        scratch.costs,
        scratch.solved_columns[place],
        scratch.units[scratch.solved[place]],
        scratch.column_of,
        scratch.solved_costs[place],
        scratch.proof,
    )
