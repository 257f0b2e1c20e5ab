"""A query's looks and a candidate padded to whole tiles of `tile`, and the squared costs between them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.instructions import LARGE
from gmv.valuation.wasserstein.integer_tiles import RAISED_BY, STEP_BYTES, STEPS_AT_ONCE
from gmv.valuation.wasserstein.single_tiles import TILE_COLUMNS, TILE_ROWS
from gmv.valuation.wasserstein.tile import square_tiles


class PackedLooks(NamedTuple):
    """The tokens of a query's two looks, sixteen to a panel, c being n rounded up; those that are padding are 0.

    Attributes:
        singles: float32 [2, c / 16, d, 16].
        integers: int8 [2, c / 16, d / 4, 64], four numbers of a token side by side, d rounded up, for processors that
            multiply bytes; int16 [2, c / 16, d / 2, 32] for others.
        norms: float32 [2, c], squared lengths, for bytes raised (`integer_tiles`); those of padding are `LARGE`, so
            that nothing is near it.
    """

    singles: NDArray[np.float32]
    integers: NDArray[np.int8] | NDArray[np.int16]
    norms: NDArray[np.float32]


class PaddedTokens(NamedTuple):
    """The tokens of a candidate, r being n rounded up; those that are padding are 0.

    Attributes:
        singles: float32 [r, d].
        integers: uint8 [r, d], raised by `RAISED_BY`, d rounded up, for processors that multiply bytes; int16 [r, d]
            for others.
        norms: float32 [r], squared lengths; those of padding are `LARGE`.
    """

    singles: NDArray[np.float32]
    integers: NDArray[np.uint8] | NDArray[np.int16]
    norms: NDArray[np.float32]


def new_packed_looks(tokens: int, token_size: int, as_bytes: bool) -> PackedLooks:
    """Allocate for n tokens of d numbers, whole ones as bytes or as int16."""
    columns = padded_columns(tokens)
    panels = columns // TILE_COLUMNS
    a_step = _numbers_of_a_step(as_bytes)
    shape = (2, panels, _padded_size(token_size, a_step) // a_step, a_step * TILE_COLUMNS)
    return PackedLooks(
        np.zeros((2, panels, token_size, TILE_COLUMNS), np.float32),
        np.zeros(shape, np.int8) if as_bytes else np.zeros(shape, np.int16),
        np.full((2, columns), LARGE, np.float32),
    )


def new_padded_tokens(tokens: int, token_size: int, as_bytes: bool) -> PaddedTokens:
    """Allocate for n tokens of d numbers, whole ones as bytes or as int16."""
    rows = padded_rows(tokens)
    shape = (rows, _padded_size(token_size, _numbers_of_a_step(as_bytes)))
    return PaddedTokens(
        np.zeros((rows, token_size), np.float32),
        np.zeros(shape, np.uint8) if as_bytes else np.zeros(shape, np.int16),
        np.full(rows, LARGE, np.float32),
    )


def padded_columns(tokens: int) -> int:
    """Return c, n rounded up to whole panels."""
    return -(-tokens // TILE_COLUMNS) * TILE_COLUMNS


def padded_rows(tokens: int) -> int:
    """Return r, n rounded up to whole tiles."""
    return -(-tokens // TILE_ROWS) * TILE_ROWS


def _padded_size(token_size: int, a_step: int) -> int:
    """Return d rounded up to what steps take at once."""
    at_once = STEPS_AT_ONCE * a_step
    return -(-token_size // at_once) * at_once


def _numbers_of_a_step(as_bytes: bool) -> int:
    return STEP_BYTES // (1 if as_bytes else 2)


@strict
def pack(tokens: NDArray[np.float32], panels: NDArray[np.float32]) -> None:
    """Lay one look out, float32 [n, d], in float32 [c / 16, d, 16]."""
    for place in range(tokens.shape[0]):
        for component in range(tokens.shape[1]):
            panels[place // TILE_COLUMNS, component, place % TILE_COLUMNS] = tokens[place, component]


@strict
def pack_integers(
    tokens: NDArray[np.float32], panels: NDArray[np.int8] | NDArray[np.int16], norms: NDArray[np.float32]
) -> None:
    """Lay one look of whole numbers out, and raise its squared lengths where candidates are raised.

    Args:
        tokens: float32 [n, d], whole numbers.
        panels: int8 [c / 16, d / 4, 64] or int16 [c / 16, d / 2, 32], written.
        norms: float32 [n], of the tokens.
    """
    a_step = panels.shape[2] // TILE_COLUMNS
    for place in range(tokens.shape[0]):
        total = np.float32(0)
        for component in range(tokens.shape[1]):
            within = a_step * (place % TILE_COLUMNS) + component % a_step
            panels[place // TILE_COLUMNS, component // a_step, within] = np.int16(tokens[place, component])
            total += tokens[place, component]
        if panels.itemsize == 1:
            norms[place] += np.float32(2 * RAISED_BY) * total


@strict
def squared_costs(
    tokens: NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.int16],
    norms: NDArray[np.float32],
    panels: NDArray[np.float32] | NDArray[np.int8] | NDArray[np.int16],
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
