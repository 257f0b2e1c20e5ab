"""Codes: the few numbers of a vector that tell the most, scanned for all images before vectors are looked at."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from gmv.encoders.integer_projection import IntegerProjection
from gmv.encoders.parameter_file import read_parameters
from gmv.errors import IndexRefused

_LARGEST = 127
_DTYPES = {"mean": np.int64, "matrix": np.int16, "signs": np.int8, "factor": np.float64}


@dataclass(frozen=True, slots=True)
class Coder:
    """Projects vectors to codes, in integers.

    Attributes:
        projection: of vectors, D to c. A code of a mirrored image is its own times the projection's signs.
        factor: from the unit of products with it to codes'.
    """

    projection: IntegerProjection
    factor: float

    def codes(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return int8 [b, c] of int8 [b, D]."""
        scaled = np.rint(self.projection.products(vectors) * self.factor)
        return np.clip(scaled, -_LARGEST, _LARGEST).astype(np.int8)

    def to_bytes(self) -> bytes:
        """Return it as a safetensors file; the same coder gives the same bytes."""
        arrays = {part.name: getattr(self.projection, part.name) for part in fields(self.projection)}
        return save({name: np.array(array, order="C") for name, array in (arrays | {"factor": self.factor}).items()})


def open_coder(path: Path, vector_size: int) -> Coder:
    """Read a coder of vectors of a size.

    Raises:
        IndexRefused: the file is missing, damaged, or not such a coder's.
    """
    arrays = read_parameters(path, load)
    size = arrays["signs"].size if "signs" in arrays else 0
    shapes = {"mean": (vector_size,), "matrix": (vector_size, size), "signs": (size,), "factor": ()}
    if (
        {name: array.dtype for name, array in arrays.items()} != _DTYPES
        or {name: array.shape for name, array in arrays.items()} != shapes
        or not (np.abs(arrays["signs"]) == 1).all()
        or not 0 < arrays["factor"] < np.inf
    ):
        raise IndexRefused(f"{path} does not hold codes of vectors of {vector_size} numbers; build the index again")
    return Coder(IntegerProjection(arrays["mean"], arrays["matrix"], arrays["signs"]), arrays["factor"].item())
