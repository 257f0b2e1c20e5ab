"""A query's looks and a candidate padded to whole tiles of `tile`, and the squared costs between them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.instructions import LARGE
from gmv.valuation.wasserstein.tile import STEP, TILE_COLUMNS, TILE_ROWS, square_tiles


class PackedLooks(NamedTuple):
    """The tokens of a query's two looks, sixteen to a panel, c being n rounded up; those that are padding are 0.

    Attributes:
        singles: float32 [2, c / 16, d, 16].
        integers: int16 [2, c / 16, d / 2, 32], two numbers of a token side by side, d rounded up.
        norms: float32 [2, c], squared lengths; those of padding are `LARGE`, so that nothing is near it.
    """

    singles: NDArray[np.float32]
    integers: NDArray[np.int16]
    norms: NDArray[np.float32]


class PaddedTokens(NamedTuple):
    """The tokens of a candidate, r being n rounded up; those that are padding are 0.

    Attributes:
        singles: float32 [r, d].
        integers: int16 [r, d], d rounded up.
        norms: float32 [r], squared lengths; those of padding are `LARGE`.
    """

    singles: NDArray[np.float32]
    integers: NDArray[np.int16]
    norms: NDArray[np.float32]


def new_packed_looks(tokens: int, token_size: int) -> PackedLooks:
    """Allocate for n tokens of d numbers."""
    columns = padded_columns(tokens)
    panels = columns // TILE_COLUMNS
    return PackedLooks(
        np.zeros((2, panels, token_size, TILE_COLUMNS), np.float32),
        np.zeros((2, panels, padded_size(token_size) // 2, 2 * TILE_COLUMNS), np.int16),
        np.full((2, columns), LARGE, np.float32),
    )


def new_padded_tokens(tokens: int, token_size: int) -> PaddedTokens:
    """Allocate for n tokens of d numbers."""
    rows = padded_rows(tokens)
    return PaddedTokens(
        np.zeros((rows, token_size), np.float32),
        np.zeros((rows, padded_size(token_size)), np.int16),
        np.full(rows, LARGE, np.float32),
    )


def padded_columns(tokens: int) -> int:
    """Return c, n rounded up to whole panels."""
    return -(-tokens // TILE_COLUMNS) * TILE_COLUMNS


def padded_rows(tokens: int) -> int:
    """Return r, n rounded up to whole tiles."""
    return -(-tokens // TILE_ROWS) * TILE_ROWS


def padded_size(token_size: int) -> int:
    """Return d rounded up to whole steps."""
    return -(-token_size // STEP) * STEP


@strict
def pack(tokens: NDArray[np.float32], panels: NDArray[np.float32]) -> None:
    """Lay one look out, float32 [n, d], in float32 [c / 16, d, 16]."""
    for place in range(tokens.shape[0]):
        for component in range(tokens.shape[1]):
            panels[place // TILE_COLUMNS, component, place % TILE_COLUMNS] = tokens[place, component]


@strict
def pack_integers(tokens: NDArray[np.float32], panels: NDArray[np.int16]) -> None:
    """Lay one look of whole numbers out, float32 [n, d], in int16 [c / 16, d / 2, 32]."""
    for place in range(tokens.shape[0]):
        for component in range(tokens.shape[1]):
            within = 2 * (place % TILE_COLUMNS) + component % 2
            panels[place // TILE_COLUMNS, component // 2, within] = np.int16(tokens[place, component])


@strict
def squared_costs(
    tokens: NDArray[np.float32] | NDArray[np.int16],
    norms: NDArray[np.float32],
    panels: NDArray[np.float32] | NDArray[np.int16],
    query_norms: NDArray[np.float32],
    squares: NDArray[np.float32],
    row_minima: NDArray[np.float32],
    column_minima: NDArray[np.float32],
) -> None:
    """Write the squared distances of two token sets, or lower bounds >= 0 of them, if norms are exact, or lowered.

    Args:
        tokens: [r, d], of a candidate.
        norms: float32 [r], of its tokens.
        panels: of one look, of the same kind.
        query_norms: float32 [c], of that look.
        squares: float32 [r, c], written; row j for the candidate's token j.
        row_minima: float32 [r], written.
        column_minima: float32 [c], written.
    """
    column_minima[:] = LARGE
    for first in range(0, squares.shape[0], TILE_ROWS):
        square_tiles(tokens, norms, first, panels, query_norms, squares, row_minima, column_minima)
