"""All that the corpus taught the exact descriptor: integers, and the scales between their units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.integer_projection import IntegerProjection
from gmv.encoders.mirror import Mirror, mirror_of_grid

GRID = 8
"""Cells along a side: an image has GRID x GRID tokens."""

POOLED_GRID = GRID // 2
"""Of the vector: 2 x 2 tokens are added up."""

SIDE = 6
"""Of a patch, in pixels."""

PATCH_NUMBERS = 3 * SIDE * SIDE
_REGISTER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Parameters:
    """The steps from pixels to tokens and vector, each rounded to integers.

    Attributes:
        working_size: pixels along a side, to which every image is brought.
        whitening: int8 [p, p] of patches, p = 108.
        whitening_offset: int64 [p], in the unit of products with it.
        whitening_factor: from that unit to whitened patches'.
        atoms: int8 [K, p], K <= 400, whitened; the second half is the first half mirrored.
        roots_factor: to the unit of these.
        cells: K to c <= 64; its mean is taken off where roots are rounded.
        cells_factor: from the unit of products with it to cells'.
        tokens: c to t <= 62; rounded to a length of `TOKEN_SCALE`.
    """

    working_size: int
    whitening: NDArray[np.int8]
    whitening_offset: NDArray[np.int64]
    whitening_factor: float
    atoms: NDArray[np.int8]
    roots_factor: float
    cells: IntegerProjection
    cells_factor: float
    tokens: IntegerProjection

    @classmethod
    def blank(cls, working_size: int) -> "Parameters":
        """Return what is known before anything is learnt."""
        nothing = IntegerProjection(np.zeros(0, np.int64), np.zeros((0, 0), np.int16), np.zeros(0, np.int8))
        return cls(
            working_size=working_size,
            whitening=np.zeros((0, 0), np.int8),
            whitening_offset=np.zeros(0, np.int64),
            whitening_factor=1.0,
            atoms=np.zeros((0, 0), np.int8),
            roots_factor=1.0,
            cells=nothing,
            cells_factor=1.0,
            tokens=nothing,
        )

    @property
    def mirror_of_tokens(self) -> Mirror:
        """How tokens without their positions change, ordered by (row, column, number)."""
        return mirror_of_grid(GRID, self.tokens.signs)

    @property
    def mirror_of_vector(self) -> Mirror:
        """How the vector changes, ordered likewise."""
        signs = np.ones(self.place_size, np.int8)
        signs[: len(self.tokens.signs)] = self.tokens.signs
        return mirror_of_grid(POOLED_GRID, signs)

    @property
    def place_size(self) -> int:
        """Numbers of each place of a vector: a token's, and zeros up to a whole number of registers of 16 bytes."""
        return -(-len(self.tokens.signs) // _REGISTER_BYTES) * _REGISTER_BYTES
