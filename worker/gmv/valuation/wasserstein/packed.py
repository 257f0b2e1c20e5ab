"""A query's looks and a candidate padded to whole tiles of `tile`, and the squared costs between them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.instructions import LARGE
from gmv.valuation.wasserstein.tile import TILE_COLUMNS, TILE_ROWS, square_tiles


class PackedLooks(NamedTuple):
    """The tokens of a query's two looks, sixteen to a panel.

    Attributes:
        panels: float32 [2, c / 16, d, 16], c being n rounded up; tokens that are padding are 0.
        norms: float32 [2, c], squared lengths; those of padding are `LARGE`, so that nothing is near it.
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


def new_packed_looks(tokens: int, token_size: int) -> PackedLooks:
    """Allocate for n tokens of d numbers."""
    columns = padded_columns(tokens)
    panels = np.zeros((2, columns // TILE_COLUMNS, token_size, TILE_COLUMNS), np.float32)
    return PackedLooks(panels, np.full((2, columns), LARGE, np.float32))


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


@strict
def pack(tokens: NDArray[np.float32], panels: NDArray[np.float32]) -> None:
    """Lay one look out, float32 [n, d], in float32 [c / 16, d, 16]."""
    for place in range(tokens.shape[0]):
        for component in range(tokens.shape[1]):
            panels[place // TILE_COLUMNS, component, place % TILE_COLUMNS] = tokens[place, component]


@strict
def squared_costs(
    tokens: PaddedTokens,
    panels: NDArray[np.float32],
    query_norms: NDArray[np.float32],
    squares: NDArray[np.float32],
    row_minima: NDArray[np.float32],
    column_minima: NDArray[np.float32],
) -> None:
    """Write the squared distances of two token sets, or lower bounds >= 0 of them, if norms are exact, or lowered.

    Args:
        tokens: of a candidate.
        panels: float32 [c / 16, d, 16], of one look.
        query_norms: float32 [c], of one look.
        squares: float32 [r, c], written; row j for the candidate's token j.
        row_minima: float32 [r], written.
        column_minima: float32 [c], written.
    """
    column_minima[:] = LARGE
    for first in range(0, squares.shape[0], TILE_ROWS):
        square_tiles(tokens.all, tokens.norms, first, panels, query_norms, squares, row_minima, column_minima)
