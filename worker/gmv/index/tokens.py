"""The token store: one memory-mapped .npy file, shared by all workers of a host."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.errors import IndexRefused


class MappedTokens:
    """A `TokenStore` over a mapped array, float16 [rows, n, d]."""

    def __init__(self, mapped: NDArray[np.float16]) -> None:
        self._mapped = mapped

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `TokenStore`."""
        rows, count, size = self._mapped.shape
        return rows, count, size

    def tokens(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """See `TokenStore`."""
        return self._mapped[rows]


def open_tokens(path: Path) -> MappedTokens:
    """Map a token file.

    Raises:
        IndexRefused: it is missing or holds something else.
    """
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error
    if mapped.dtype != np.float16 or mapped.ndim != 3:
        raise IndexRefused(f"{path} holds {mapped.dtype} {mapped.shape}, not float16 [rows, n, d]; build it again")
    return MappedTokens(mapped.view(np.ndarray))
