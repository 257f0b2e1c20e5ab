"""The least-cost assignment by shortest augmenting paths, given up as soon as it is proven too costly.

Jonker and Volgenant, *A shortest augmenting path algorithm for dense and sparse linear assignment problems*,
Computing 38, 1987, from any column duals instead of their own initialisation.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.bounds import tighten_rows
from gmv.valuation.wasserstein.instructions import LARGE, greater, lesser

FREE = -1


class Search(NamedTuple):
    """Scratch of one search, [n] each.

    Attributes:
        row_of: int64, the row that each column is matched with, or `FREE`.
        free_rows: int64, rows that greedy matching left over.
        rows: float32, row duals.
        reduced: float32, reduced costs of one row; then distances of columns from it.
        closed: float32, column duals, and minus `LARGE` for columns that the search is done with.
        predecessor: int32, the row from which each column is reached.
        scanned: int64, columns that the search is done with, in order.
        scanned_at: float32, their distances.
        trial_columns: float32, column duals to prove a bound with.
        trial_rows: float32, the row duals to them.
    """

    row_of: NDArray[np.int64]
    free_rows: NDArray[np.int64]
    rows: NDArray[np.float32]
    reduced: NDArray[np.float32]
    closed: NDArray[np.float32]
    predecessor: NDArray[np.int32]
    scanned: NDArray[np.int64]
    scanned_at: NDArray[np.float32]
    trial_columns: NDArray[np.float32]
    trial_rows: NDArray[np.float32]


def new_search(tokens: int) -> Search:
    """Allocate scratch for sets of so many tokens."""
    return Search(
        row_of=np.empty(tokens, np.int64),
        free_rows=np.empty(tokens, np.int64),
        rows=np.empty(tokens, np.float32),
        reduced=np.empty(tokens, np.float32),
        closed=np.empty(tokens, np.float32),
        predecessor=np.empty(tokens, np.int32),
        scanned=np.empty(tokens, np.int64),
        scanned_at=np.empty(tokens, np.float32),
        trial_columns=np.empty(tokens, np.float32),
        trial_rows=np.empty(tokens, np.float32),
    )


@fast
def assign(
    costs: NDArray[np.float32],
    columns: NDArray[np.float32],
    threshold: float,
    column_of: NDArray[np.int64],
    search: Search,
) -> bool:
    """Assign each row a column of its own, at the least total cost there is, up to the rounding of float32.

    The dual value grows with every path, and within the search for one by the distance reached. Once it passes the
    threshold, the duals of that moment are made feasible and their bound is looked at: if that passes too, no
    assignment is as cheap as the threshold. Where only rounding made it pass, the search goes on.

    Args:
        costs: float32 [n, n].
        columns: float32 [n], column duals: any to begin with, optimal ones at the end.
        threshold: give up where the least total cost is proven to be above.
        column_of: int64 [n], written: the column of each row.
        search: scratch.

    Returns:
        True for an assignment, False where it was given up.
    """
    free, value = _match_greedily(costs, columns, column_of, search)
    if value > threshold:
        search.trial_columns[:] = columns
        if _is_proven_above(threshold, costs, search):
            return False
    for turn in range(free):
        row = search.free_rows[turn]
        value += _reopen(costs, columns, row, search)
        end, scanned, distance = _shortest_path(costs, columns, row, threshold, value, search)
        if end == FREE:
            return False
        value += distance
        for place in range(scanned):
            columns[search.scanned[place]] += search.scanned_at[place] - distance
        _augment(end, row, column_of, search)
    return True


@fast
def _match_greedily(
    costs: NDArray[np.float32], columns: NDArray[np.float32], column_of: NDArray[np.int64], search: Search
) -> tuple[int, np.float64]:
    """Give each row its cheapest column where that is still free.

    Returns:
        How many rows are left over, and the dual value.
    """
    count = costs.shape[0]
    free = 0
    value = np.float64(0)
    for column in range(count):
        search.row_of[column] = FREE
        value += columns[column]
    for row in range(count):
        least = LARGE
        for column in range(count):
            reduced = costs[row, column] - columns[column]
            search.reduced[column] = reduced
            least = lesser(least, reduced)
        search.rows[row] = least
        value += least
        column = _first_at_most(search.reduced, least)
        if search.row_of[column] == FREE:
            search.row_of[column] = row
            column_of[row] = column
        else:
            search.free_rows[free] = row
            free += 1
    return free, value


@fast
def _reopen(costs: NDArray[np.float32], columns: NDArray[np.float32], row: int, search: Search) -> np.float64:
    """Set out from a free row: its reduced costs are the first distances. Column duals fell since it was priced.

    Returns:
        By how much its own dual grew.
    """
    count = costs.shape[0]
    dual = LARGE
    for column in range(count):
        reduced = costs[row, column] - columns[column]
        search.reduced[column] = reduced
        search.closed[column] = columns[column]
        search.predecessor[column] = np.int32(row)
        dual = lesser(dual, reduced)
    for column in range(count):
        search.reduced[column] = greater(search.reduced[column] - dual, np.float32(0))
    return np.float64(dual) - np.float64(search.rows[row])


@fast
def _shortest_path(
    costs: NDArray[np.float32],
    columns: NDArray[np.float32],
    start: int,
    threshold: float,
    value: np.float64,
    search: Search,
) -> tuple[int, int, np.float32]:
    """Find the nearest free column (Dijkstra); distances are reduced costs, kept >= 0 against rounding.

    Returns:
        The free column, or `FREE` where the threshold is proven to be passed; how many columns were scanned before
        it; and its distance.
    """
    count = costs.shape[0]
    limit = threshold - value
    scanned = 0
    distance = np.float32(0)  # reduced costs of the first row are measured from their minimum
    while True:
        if distance > limit:
            search.trial_columns[:] = columns
            for place in range(scanned):
                search.trial_columns[search.scanned[place]] += search.scanned_at[place] - distance
            if _is_proven_above(threshold, costs, search):
                return FREE, scanned, distance
            limit = np.float64(LARGE)
        nearest = _first_at_most(search.reduced, distance)
        row = search.row_of[nearest]
        if row == FREE:
            return nearest, scanned, distance
        search.scanned[scanned] = nearest
        search.scanned_at[scanned] = distance
        scanned += 1
        offset = distance - (costs[row, nearest] - columns[nearest])
        search.closed[nearest] = -LARGE
        search.reduced[nearest] = LARGE
        label = np.int32(row)
        following = LARGE
        for column in range(count):
            reached = greater(costs[row, column] - search.closed[column] + offset, distance)
            before = search.reduced[column]
            search.predecessor[column] = label if reached < before else search.predecessor[column]
            shortest = lesser(reached, before)
            search.reduced[column] = shortest
            following = lesser(following, shortest)
        distance = following


@fast
def _is_proven_above(threshold: float, costs: NDArray[np.float32], search: Search) -> bool:
    """Return whether the trial column duals, made feasible, prove every assignment costlier than the threshold."""
    return tighten_rows(costs, search.trial_columns, search.trial_rows) > threshold


@fast
def _first_at_most(numbers: NDArray[np.float32], bound: np.float32) -> int:
    """Return the first place of a number that is not above the bound, which is one of them."""
    count = numbers.shape[0]
    first = np.int32(count)
    for place in range(count):
        first = min(first, np.int32(place) if numbers[place] <= bound else np.int32(count))
    return int(first)


@fast
def _augment(end: int, start: int, column_of: NDArray[np.int64], search: Search) -> None:
    """Match along the path found, from its end back to the row it started from."""
    column = end
    while True:
        row = np.int64(search.predecessor[column])
        search.row_of[column] = row
        following = column_of[row]
        column_of[row] = column
        if row == start:
            return
        column = following
