"""Learning codes from the vectors of a corpus; the same bits on every processor."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.exact.kernels import LARGEST
from gmv.encoders.exact.projections import Moments, most_of, principal_components
from gmv.encoders.mirror import Mirror
from gmv.index.codes import Coder

CODE_SIZE = 128
"""Numbers, a byte each. Of the ten nearest by W1 of 49,500 images .948, .975, .978, .988 and .992 are among the first
1,000 by codes of 64, 96, 128, 192 and 256 numbers; a scan takes as many times as long."""

_TAUGHT_BY = 10_000  # vectors
_MATRIX_MAX = 2_047
_CHUNK_ROWS = 4_096


def fit_coder(vectors: NDArray[np.int8], mirror: Mirror, seed: int) -> Coder:
    """Learn the principal components of vectors and their mirrored ones.

    Args:
        vectors: int8 [rows, D], at least one.
        mirror: of vectors.
        seed: of the choice of vectors.
    """
    chosen = np.sort(np.random.default_rng(seed).choice(len(vectors), min(len(vectors), _TAUGHT_BY), replace=False))
    sample = vectors[chosen]
    moments = Moments.of(sample)
    # Those that mirroring leaves as they are first: a scan multiplies them by themselves.
    found = principal_components(moments, mirror, CODE_SIZE).by_sign()
    projection = found.projection(moments.mean(mirror), _MATRIX_MAX)
    return Coder(projection, LARGEST / most_of(np.abs(projection.products(sample))))


def write_codes(path: Path, coder: Coder, vectors: NDArray[np.int8]) -> None:
    """Write the codes of all vectors, int8 [rows, D], as a NumPy file."""
    codes = np.lib.format.open_memmap(path, "w+", np.int8, (len(vectors), len(coder.projection.signs)))
    for start in range(0, len(vectors), _CHUNK_ROWS):
        codes[start : start + _CHUNK_ROWS] = coder.codes(vectors[start : start + _CHUNK_ROWS])
    codes.flush()
