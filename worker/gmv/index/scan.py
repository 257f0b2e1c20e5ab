"""The M nearest of all rows by exact integers, in one pass over memory for both looks of a query.

A query's mirrored look is the query with the numbers negated whose sign is -1. With S the product over the other
components and A over these, its product with a row is S - A where that of the look as it is is S + A. Rows are read in
blocks that stay in a core's second cache while all queries of a run pass over them.

Integers are the same in whatever order they are summed, so neither threads, nor the run, nor the processor's vectors
change an answer. Nothing here overflows: 255^2 times `VECTOR_SIZE_MAX` is below 2^31.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.index.products import LANES, ROWS, multiply_rows

VECTOR_SIZE_MAX: Final = 2**15

NOTHING: Final = np.iinfo(np.int64).max
"""Greater than every key."""

LOOK_BIT: Final = 31
DISTANCE_BIT: Final = 32
"""A key is distance << 32 | look << 31 | row, so keys are in the order of the answer, and no two are equal."""

_BLOCK_ROWS: Final = 1_024  # 128 KiB at 128 numbers


@strict
def scan(
    store: NDArray[np.int8],
    squares: NDArray[np.int32],
    same: NDArray[np.int16],
    negated: NDArray[np.int16],
    query_squares: NDArray[np.int32],
    both_looks: bool,
    nearest: NDArray[np.int64],
) -> None:
    """Write the keys of the nearest (row, look), in any order.

    Args:
        store: int8 [rows, D].
        squares: int32 [rows], of the rows' lengths.
        same: int16 [b, D], the queries, 0 where the sign is -1.
        negated: int16 [b, D], the queries, 0 where the sign is 1.
        query_squares: int32 [b], of the queries' lengths.
        both_looks: whether rows are also compared with the mirrored look.
        nearest: int64 [b, M], M at least 1 and at most what there is.
    """
    queries, wanted = nearest.shape
    keys = np.empty((queries, 2 * wanted + 2 * _BLOCK_ROWS), np.int64)
    counts = np.zeros(queries, np.int64)
    farthest = np.full(queries, NOTHING)
    same_stop, negated_start = _stop(same), _start(negated)
    block_same = np.empty(_BLOCK_ROWS, np.int32)
    block_negated = np.empty(_BLOCK_ROWS, np.int32)
    for start in range(0, store.shape[0], _BLOCK_ROWS):
        block = store[start : start + _BLOCK_ROWS]
        for query in range(queries):
            multiply(block, same[query], 0, same_stop, block_same)
            multiply(block, negated[query], negated_start, store.shape[1], block_negated)
            counts[query] = _keep(
                squares[start : start + block.shape[0]],
                block_same,
                block_negated,
                query_squares[query],
                both_looks,
                start,
                farthest[query],
                counts[query],
                keys[query],
            )
            if counts[query] > 2 * wanted:
                select_least(keys[query, : counts[query]], wanted)
                farthest[query] = keys[query, :wanted].max()
                counts[query] = wanted
    for query in range(queries):
        select_least(keys[query, : counts[query]], wanted)
        nearest[query] = keys[query, :wanted]


@strict
def _stop(queries: NDArray[np.int16]) -> int:
    """Return the place after the last component that is not 0 in all queries, in whole registers where there are."""
    size: int = queries.shape[1]
    for component in range(size, 0, -1):
        if queries[:, component - 1].any():
            return min(size, -(-component // LANES) * LANES)
    return 0


@strict
def _start(queries: NDArray[np.int16]) -> int:
    """Return the first component that is not 0 in all queries, in whole registers where there are."""
    size: int = queries.shape[1]
    for component in range(size):
        if queries[:, component].any():
            return max(0, size - -(-(size - component) // LANES) * LANES)
    return size


@strict
def multiply(
    block: NDArray[np.int8], query: NDArray[np.int16], begin: int, end: int, products: NDArray[np.int32]
) -> None:
    """Write the product of each row with a query, of the components from `begin` to `end`."""
    rows_by_four = block.shape[0] - block.shape[0] % ROWS
    end_by_vectors = end - (end - begin) % LANES
    for first in range(0, rows_by_four, ROWS):
        multiply_rows(block, first, query, begin, end_by_vectors, products)
    for row in range(rows_by_four):
        for component in range(end_by_vectors, end):
            products[row] += np.int32(block[row, component]) * np.int32(query[component])
    for row in range(rows_by_four, block.shape[0]):
        products[row] = 0
        for component in range(begin, end):
            products[row] += np.int32(block[row, component]) * np.int32(query[component])


@strict
def _keep(
    squares: NDArray[np.int32],
    same: NDArray[np.int32],
    negated: NDArray[np.int32],
    query_square: np.int32,
    both_looks: bool,
    first: int,
    farthest: np.int64,
    count: int,
    keys: NDArray[np.int64],
) -> int:
    """Append the keys of a block that are not above `farthest`; return how many there are then.

    Nothing here branches on a distance, which a processor would guess wrong: what is not wanted is overwritten.

    Args:
        squares: int32 [r], of the rows' lengths.
        same: int32 [r or more], the rows' products with what stays as it is of the query.
        negated: int32 [r or more], with what the mirrored look negates.
        query_square: of the query's length.
        both_looks: whether both are asked for.
        first: the first row of the block.
        farthest: the greatest key wanted, as far as is known.
        count: of keys so far.
        keys: int64 [count + 2 r or more].
    """
    limit = np.int32(farthest >> DISTANCE_BIT)
    rows = squares.shape[0]
    nearer = np.empty(rows, np.int32)
    for row in range(rows):
        more = np.int32(max(negated[row], np.int32(-negated[row]))) if both_looks else negated[row]
        nearer[row] = np.int32(query_square + squares[row]) - np.int32(2) * np.int32(same[row] + more)
    near = np.empty(rows, np.int64)
    found = 0
    for row in range(rows):
        near[found] = row
        found += int(nearer[row] <= limit)
    for place in range(found):
        row = near[place]
        apart = np.int64(query_square) + squares[row] - 2 * np.int64(same[row])
        more = 2 * np.int64(negated[row])
        key = (apart - more) << DISTANCE_BIT | (first + row)
        keys[count] = key
        count += int(key <= farthest)
        key = (apart + more) << DISTANCE_BIT | 1 << LOOK_BIT | (first + row)
        keys[count] = key
        count += int(both_looks and key <= farthest)
    return count


@strict
def select_least(keys: NDArray[np.int64], wanted: int) -> None:
    """Bring the least keys to the front, in any order, of keys that are all different.

    Hoare's FIND (CACM 4, 1961), each time by the median of three, with Lomuto's partition, which does not branch: each
    key changes places with the first of those that are not less, and where it is less, there is one more before them.
    """
    lower, upper = 0, keys.shape[0] - 1
    while lower < upper:
        _median_last(keys, lower, upper)
        pivot = keys[upper]
        middle = lower
        for place in range(lower, upper):
            key = keys[place]
            keys[place] = keys[middle]
            keys[middle] = key
            middle += int(key < pivot)
        keys[upper], keys[middle] = keys[middle], pivot
        if middle <= wanted:
            lower = middle + 1
        if middle >= wanted:
            upper = middle - 1


@strict
def _median_last(keys: NDArray[np.int64], lower: int, upper: int) -> None:
    """Put the median of the first key, that in the middle and the last at the end."""
    middle = (lower + upper) // 2
    for one, other in ((lower, middle), (middle, upper), (lower, middle)):
        if keys[other] < keys[one]:
            keys[one], keys[other] = keys[other], keys[one]
    keys[middle], keys[upper] = keys[upper], keys[middle]
