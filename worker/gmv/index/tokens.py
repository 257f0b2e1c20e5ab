"""The token store: one memory-mapped .npy file, shared by all workers of a host."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.errors import IndexRefused

_DTYPES = (np.float16, np.float32, np.int8)

Tokens = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.int8]


def as_query(tokens: NDArray[np.generic]) -> NDArray[np.float32] | NDArray[np.int8]:
    """Return the tokens of a stored image, [n, d], as those of a query."""
    if tokens.dtype == np.int8:
        return np.array(tokens, np.int8)
    return tokens.astype(np.float32)


def open_tokens(path: Path) -> Tokens:
    """Map a token file: float16, float32 or int8 [rows, n, d].

    Raises:
        IndexRefused: it is missing or holds something else.
    """
    try:
        mapped = np.lib.format.open_memmap(path, "r")  # np.load takes archives, too
    except (OSError, ValueError) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error
    if mapped.dtype not in _DTYPES or mapped.ndim != 3:
        raise IndexRefused(
            f"{path} holds {mapped.dtype} {mapped.shape}, not float16, float32 or int8 [rows, n, d]; build it again"
        )
    tokens: Tokens = mapped.view(np.ndarray)
    return tokens
