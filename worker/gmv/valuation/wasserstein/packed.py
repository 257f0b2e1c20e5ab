"""A query and a candidate padded to whole tiles of `tile`, and the squared costs between them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.cost import squared_norms
from gmv.valuation.wasserstein.instructions import LARGE
from gmv.valuation.wasserstein.tile import TILE_COLUMNS, TILE_ROWS, square_tiles


class PackedQuery(NamedTuple):
    """The tokens of a query, sixteen to a panel.

    Attributes:
        panels: float32 [c / 16, d, 16], c being n rounded up; tokens that are padding are 0.
        norms: float32 [c], squared lengths; those of padding are `LARGE`, so that nothing is near it.
    """

    panels: NDArray[np.float32]
    norms: NDArray[np.float32]


class PaddedTokens(NamedTuple):
    """The tokens of a candidate.

    Attributes:
        all: float32 [r, d], r being n rounded up; tokens that are padding are 0.
        norms: float32 [r], squared lengths; those of padding are `LARGE`.
    """

    all: NDArray[np.float32]
    norms: NDArray[np.float32]


def new_packed_query(tokens: int, token_size: int) -> PackedQuery:
    """Allocate for n tokens of d numbers."""
    columns = padded_columns(tokens)
    panels = np.zeros((columns // TILE_COLUMNS, token_size, TILE_COLUMNS), np.float32)
    return PackedQuery(panels, np.full(columns, LARGE, np.float32))


def new_padded_tokens(tokens: int, token_size: int) -> PaddedTokens:
    """Allocate for n tokens of d numbers."""
    rows = padded_rows(tokens)
    return PaddedTokens(np.zeros((rows, token_size), np.float32), np.full(rows, LARGE, np.float32))


def padded_columns(tokens: int) -> int:
    """Return c, n rounded up to whole panels."""
    return -(-tokens // TILE_COLUMNS) * TILE_COLUMNS


def padded_rows(tokens: int) -> int:
    """Return r, n rounded up to whole tiles."""
    return -(-tokens // TILE_ROWS) * TILE_ROWS


@fast
def pack(query: NDArray[np.float32], packed: PackedQuery) -> None:
    """Lay a query out, float32 [n, d], and write its squared lengths, not lowered yet."""
    for place in range(query.shape[0]):
        for component in range(query.shape[1]):
            packed.panels[place // TILE_COLUMNS, component, place % TILE_COLUMNS] = query[place, component]
    squared_norms(query, packed.norms)


@fast
def squared_costs(
    tokens: PaddedTokens,
    query: PackedQuery,
    squares: NDArray[np.float32],
    row_minima: NDArray[np.float32],
    column_minima: NDArray[np.float32],
) -> None:
    """Write lower bounds, >= 0, of the squared distances of two token sets, from their lowered norms.

    Args:
        tokens: of a candidate.
        query: packed.
        squares: float32 [r, c], written; row j for the candidate's token j.
        row_minima: float32 [r], written.
        column_minima: float32 [c], written.
    """
    column_minima[:] = LARGE
    for first in range(0, squares.shape[0], TILE_ROWS):
        square_tiles(tokens.all, tokens.norms, first, query.panels, query.norms, squares, row_minima, column_minima)
