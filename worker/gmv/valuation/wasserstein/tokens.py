"""Token sets from a store, as it lies in memory or in a mapped file, to float32 or int16: exactly, for any store."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.wasserstein.cost import INTEGER_SIZE_MAX, TOKEN_SIZE_MAX
from gmv.valuation.wasserstein.instructions import from_bits
from gmv.valuation.wasserstein.integer_tiles import RAISED_BY

TokenStore: TypeAlias = "NDArray[np.int8] | NDArray[np.float16] | NDArray[np.float32]"

_HALF_TO_SINGLE: Final = np.float32(2.0**112)  # float32's exponents begin so far below float16's


class StoredTokens(NamedTuple):
    """A token store as compiled code reads it: one of the three, the others being empty.

    Attributes:
        integers: int8 [rows, n d].
        halves: uint16 [rows, n d], the bits of float16 numbers.
        singles: float32 [rows, n d].
    """

    integers: NDArray[np.int8]
    halves: NDArray[np.uint16]
    singles: NDArray[np.float32]


def stored_tokens(tokens: TokenStore) -> StoredTokens:
    """Look at a store's array without copying it.

    Args:
        tokens: int8, float16 or float32 [rows, n, d], C-contiguous, finite; d is at most 256 for int8, and 4,096.

    Raises:
        ValueError: it is something else.
    """
    if tokens.dtype not in (np.int8, np.float16, np.float32) or tokens.ndim != 3 or not tokens.flags.c_contiguous:
        raise ValueError(
            f"a token store is C-contiguous int8, float16 or float32 [rows, n, d], not {tokens.dtype} {tokens.shape}"
        )
    size_max = INTEGER_SIZE_MAX if tokens.dtype == np.int8 else TOKEN_SIZE_MAX
    if tokens.shape[2] > size_max:
        raise ValueError(
            f"{tokens.dtype} tokens have {tokens.shape[2]} numbers, and {size_max:,} at most are supported"
        )
    flat = tokens.reshape(len(tokens), tokens.shape[1] * tokens.shape[2])
    integers, halves, singles = (
        flat if flat.dtype == dtype else np.empty((0, flat.shape[1]), dtype)
        for dtype in (np.int8, np.float16, np.float32)
    )
    store = StoredTokens(integers.view(np.int8), halves.view(np.uint16), singles.view(np.float32))
    for view in store:
        view.flags.writeable = False  # mapped files are so, and one type is one compilation
    return store


@strict
def are_integers(store: StoredTokens) -> bool:
    """Return whether the store is of int8."""
    return bool(store.integers.shape[0] > 0)


@strict
def load_integers(
    store: StoredTokens, row: int, tokens: NDArray[np.uint8] | NDArray[np.int16], norms: NDArray[np.float32]
) -> None:
    """Write one image's tokens from a store of int8, and their squared lengths.

    Args:
        store: where they are.
        row: of the image.
        tokens: uint8 or int16 [n or more, d or more]; n of d are written, bytes raised by `RAISED_BY`.
        norms: float32 [n], written.
    """
    raised_by = np.int16(RAISED_BY if tokens.itemsize == 1 else 0)
    count = norms.shape[0]
    size = store.integers.shape[1] // count
    for place in range(count):
        total = np.int32(0)
        for component in range(size):
            number = np.int16(store.integers[row, place * size + component])
            tokens[place, component] = np.int16(number + raised_by)
            total = np.int32(total + np.int32(number) * np.int32(number))
        norms[place] = np.float32(total)


@strict
def load(store: StoredTokens, row: int, tokens: NDArray[np.float32]) -> bool:
    """Write one image's tokens from a store of floats.

    Args:
        store: where they are.
        row: of the image.
        tokens: float32 [n or more, d]; n are written.

    Returns:
        False where a float16 is NaN or infinite, which no float32 shows any more; float32 is left to its norms.
    """
    flat = tokens.reshape(tokens.size)
    if store.singles.shape[0] > 0:
        for place in range(store.singles.shape[1]):
            flat[place] = store.singles[row, place]
        return True
    halves = store.halves[row]
    overflow = np.int32(0)  # of a greatest exponent, plus one, into the sign's bit
    for place in range(halves.shape[0]):
        half = np.int32(halves[place])
        magnitude = (half & np.int32(0x7FFF)) << np.int32(13)
        sign = (half & np.int32(0x8000)) << np.int32(16)
        flat[place] = from_bits(np.int32(magnitude | sign)) * _HALF_TO_SINGLE
        overflow = np.int32(overflow | (half & np.int32(0x7C00)) + np.int32(0x0400))
    return bool((overflow & np.int32(0x8000)) == 0)
