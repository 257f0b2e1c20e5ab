"""Squared costs of every pair of a candidate and a look, of which those likely to be needed again are kept."""

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import borrowing, strict
from gmv.valuation.wasserstein.bounds import relaxed_bound
from gmv.valuation.wasserstein.certificate import Ground
from gmv.valuation.wasserstein.cost import longest, lower, squared_norms
from gmv.valuation.wasserstein.fixed import unit_of
from gmv.valuation.wasserstein.packed import pack, pack_integers, squared_costs
from gmv.valuation.wasserstein.scratch import Scratch
from gmv.valuation.wasserstein.tokens import StoredTokens, are_integers, load, load_integers


@strict
def prepare(store: StoredTokens, looks: NDArray[np.float32], scratch: Scratch) -> bool:
    """Lay out one or two looks, float32 [1 or 2, n, d]; False where a token is too long for float32, or not finite."""
    for look in range(looks.shape[0]):
        for token in range(looks.shape[1]):  # a slice takes a tenth of all that time to compile
            for component in range(looks.shape[2]):
                scratch.looks[look, token, component] = looks[look, token, component]
        norms = scratch.packed.norms[look, : looks.shape[1]]
        squared_norms(looks[look], norms)
        scratch.longest[look] = longest(norms)
        if scratch.longest[look] < 0:
            return False
        if are_integers(store):
            pack_integers(looks[look], scratch.packed.integers[look], norms)
        else:
            pack(looks[look], scratch.packed.singles[look])
            lower(norms, looks.shape[2])
    return True


@borrowing
def bound_all(store: StoredTokens, rows: NDArray[np.int64], first_mirrored: int, scratch: Scratch) -> bool:
    """Write the relaxed bound of each pair; False where a token is out of range.

    One place of the squares is free at any time, and the next pair's are written there.
    """
    free = kept = int(np.int64(0))  # no literal, for which numba would compile what takes it once more
    farthest = -1
    for pair in range(rows.shape[0]):
        look = int(pair >= first_mirrored)
        unit = square(store, rows[pair], look, scratch.squares[free], scratch.column_minima[pair], scratch)
        if unit < 0.0:
            return False
        least = scratch.row_minima[: scratch.looks.shape[1]]
        bound = relaxed_bound(least, scratch.column_minima[pair], unit) * unit
        scratch.units[pair] = unit
        scratch.bounds[pair] = bound
        scratch.kept_in[pair] = -1
        if kept < scratch.squares.shape[0] - 1:
            _keep(pair, free, scratch)
            kept += 1
            free = kept
            continue
        if farthest < 0:
            farthest = _place_of_farthest(free, scratch)
        if bound < scratch.bounds[scratch.kept_by[farthest]]:
            scratch.kept_in[scratch.kept_by[farthest]] = -1
            _keep(pair, free, scratch)
            free = farthest
            farthest = -1
    scratch.free[0] = free
    return True


@borrowing
def _keep(pair: int, place: int, scratch: Scratch) -> None:
    scratch.kept_in[pair] = place
    scratch.kept_by[place] = pair


@borrowing
def _place_of_farthest(free: int, scratch: Scratch) -> int:
    """Return where the pair with the greatest bound is kept, of all places but the free one."""
    farthest = -1
    greatest = -1.0
    for place in range(scratch.squares.shape[0]):
        if place != free and scratch.bounds[scratch.kept_by[place]] > greatest:
            farthest = place
            greatest = scratch.bounds[scratch.kept_by[place]]
    return farthest


@borrowing
def square(
    store: StoredTokens,
    row: int,
    look: int,
    squares: NDArray[np.float32],
    column_minima: NDArray[np.float32],
    scratch: Scratch,
) -> float:
    """Write an image's squared costs to one look, and their minima.

    Returns:
        The unit for the costs; -1 where a token is out of range.
    """
    count, size = scratch.looks.shape[1:]
    query_norms = scratch.packed.norms[look]
    tokens = scratch.tokens
    norms = tokens.norms[:count]
    if are_integers(store):
        load_integers(store, row, tokens.integers, norms)
        greatest = longest(norms)
        panels = scratch.packed.integers[look]
        squared_costs(tokens.integers, tokens.norms, panels, query_norms, squares, scratch.row_minima, column_minima)
        return unit_of(greatest, scratch.longest[look])
    if not load(store, row, tokens.singles):
        return -1.0
    squared_norms(tokens.singles[:count], norms)
    greatest = longest(norms)
    if greatest < 0:
        return -1.0
    lower(norms, size)
    single_panels = scratch.packed.singles[look]
    squared_costs(tokens.singles, tokens.norms, single_panels, query_norms, squares, scratch.row_minima, column_minima)
    return unit_of(greatest, scratch.longest[look])


@borrowing
def squares_of(store: StoredTokens, row: int, look: int, pair: int, scratch: Scratch) -> int:
    """Return the place of a pair's squares, which are computed again where they were not kept."""
    place = int(scratch.kept_in[pair])
    if place < 0:
        place = int(scratch.free[0])
        square(store, row, look, scratch.squares[place], scratch.column_minima[pair], scratch)
    return place


@borrowing
def ground_of(store: StoredTokens, row: int, look: int, place: int, scratch: Scratch) -> Ground:
    """Return what the distances of a pair's tokens are computed from, its squares being at this place.

    For functions that borrow, too: what it returns is the scratch's, and nobody else would count it.
    """
    is_exact = are_integers(store)
    if not is_exact:
        load(store, row, scratch.tokens.singles)
    count = scratch.looks.shape[1]
    return Ground(is_exact, scratch.squares[place], scratch.tokens.singles[:count], scratch.looks[look])
