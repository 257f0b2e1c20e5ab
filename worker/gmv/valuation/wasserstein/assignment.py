"""The least-cost assignment by shortest augmenting paths, given up as soon as it is proven too costly.

Jonker and Volgenant, *A shortest augmenting path algorithm for dense and sparse linear assignment problems*,
Computing 38, 1987, from any column duals instead of their own initialisation.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.fixed import CLOSED, FAR

FREE = -1


class Search(NamedTuple):
    """Scratch of one search, [n] each.

    Attributes:
        row_of: int64, the row that each column is matched with, or `FREE`.
        free_rows: int64, rows that greedy matching left over.
        rows: int32, row duals.
        reduced: int32, reduced costs of one row; then distances of columns from it.
        closed: int32, column duals, and minus `FAR` for columns that the search is done with.
        predecessor: int32, the row from which each column is reached.
        scanned: int64, columns that the search is done with, in order.
        scanned_at: int32, their distances.
    """

    row_of: NDArray[np.int64]
    free_rows: NDArray[np.int64]
    rows: NDArray[np.int32]
    reduced: NDArray[np.int32]
    closed: NDArray[np.int32]
    predecessor: NDArray[np.int32]
    scanned: NDArray[np.int64]
    scanned_at: NDArray[np.int32]


def new_search(tokens: int) -> Search:
    """Allocate scratch for sets of so many tokens."""
    return Search(
        row_of=np.empty(tokens, np.int64),
        free_rows=np.empty(tokens, np.int64),
        rows=np.empty(tokens, np.int32),
        reduced=np.empty(tokens, np.int32),
        closed=np.empty(tokens, np.int32),
        predecessor=np.empty(tokens, np.int32),
        scanned=np.empty(tokens, np.int64),
        scanned_at=np.empty(tokens, np.int32),
    )


@strict
def assign(
    costs: NDArray[np.int32],
    columns: NDArray[np.int32],
    threshold: np.int64,
    column_of: NDArray[np.int64],
    search: Search,
) -> bool:
    """Assign each row a column of its own, at the least total cost there is.

    The dual value grows with every path, and within the search for one by the distance reached. Once it passes the
    threshold, no assignment is as cheap: the search is given up. Of columns at one distance the first goes first, so
    that which of several cheapest assignments is found depends on the costs and the duals alone.

    Args:
        costs: int32 [n, n].
        columns: int32 [n], column duals: any to begin with, optimal ones at the end.
        threshold: give up where the least total cost is proven to be above.
        column_of: int64 [n], written: the column of each row.
        search: scratch.

    Returns:
        True for an assignment, False where it was given up.
    """
    free, value = _match_greedily(costs, columns, column_of, search)
    if value > threshold:
        return False
    for turn in range(free):
        row = search.free_rows[turn]
        value += _reopen(costs, columns, row, search)
        end, scanned, distance = _shortest_path(costs, columns, row, threshold - value, search)
        if end == FREE:
            return False
        value += distance
        for place in range(scanned):
            columns[search.scanned[place]] += search.scanned_at[place] - distance
        _augment(end, row, column_of, search)
    return True


@strict
def _match_greedily(
    costs: NDArray[np.int32], columns: NDArray[np.int32], column_of: NDArray[np.int64], search: Search
) -> tuple[int, np.int64]:
    """Give each row its cheapest column where that is still free.

    Returns:
        How many rows are left over, and the dual value.
    """
    count = costs.shape[0]
    free = 0
    value = np.int64(0)
    for column in range(count):
        search.row_of[column] = FREE
        value += columns[column]
    for row in range(count):
        least = FAR
        for column in range(count):
            reduced = np.int32(costs[row, column] - columns[column])
            search.reduced[column] = reduced
            least = min(least, reduced)
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


@strict
def _reopen(costs: NDArray[np.int32], columns: NDArray[np.int32], row: int, search: Search) -> np.int64:
    """Set out from a free row: its reduced costs are the first distances. Column duals fell since it was priced.

    Returns:
        By how much its own dual grew.
    """
    count = costs.shape[0]
    dual = FAR
    for column in range(count):
        reduced = np.int32(costs[row, column] - columns[column])
        search.reduced[column] = reduced
        search.closed[column] = columns[column]
        search.predecessor[column] = np.int32(row)
        dual = min(dual, reduced)
    for column in range(count):
        search.reduced[column] = np.int32(search.reduced[column] - dual)
    return np.int64(dual) - np.int64(search.rows[row])


@strict
def _shortest_path(
    costs: NDArray[np.int32],
    columns: NDArray[np.int32],
    start: int,
    limit: np.int64,
    search: Search,
) -> tuple[int, int, np.int32]:
    """Find the nearest free column (Dijkstra); distances are reduced costs.

    Returns:
        The free column, or `FREE` where it is beyond the limit; how many columns were scanned before it; and its
        distance.
    """
    count = costs.shape[0]
    scanned = 0
    distance = np.int32(0)  # reduced costs of the first row are measured from their minimum
    while True:
        if distance > limit:
            return FREE, scanned, distance
        nearest = _first_at_most(search.reduced, distance)
        row = search.row_of[nearest]
        if row == FREE:
            return nearest, scanned, distance
        search.scanned[scanned] = nearest
        search.scanned_at[scanned] = distance
        scanned += 1
        offset = np.int32(distance - np.int32(costs[row, nearest] - columns[nearest]))
        search.closed[nearest] = -FAR
        search.reduced[nearest] = CLOSED
        label = np.int32(row)
        following = FAR
        for column in range(count):
            reached = np.int32(np.int32(costs[row, column] - search.closed[column]) + offset)
            before = search.reduced[column]
            search.predecessor[column] = label if reached < before else search.predecessor[column]
            shortest = min(reached, before)
            search.reduced[column] = shortest
            following = min(following, shortest)
        distance = following


@strict
def _first_at_most(numbers: NDArray[np.int32], bound: np.int32) -> int:
    """Return the first place of a number that is not above the bound, which is one of them."""
    count = numbers.shape[0]
    first = np.int32(count)
    for place in range(count):
        first = min(first, np.int32(place) if numbers[place] <= bound else np.int32(count))
    return int(first)


@strict
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
