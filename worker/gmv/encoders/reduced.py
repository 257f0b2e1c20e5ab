"""The encoder of an index that was built from features and keeps less of them: events' features are reduced alike."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor

from gmv.encoders.parameter_file import read_parameters
from gmv.encoders.pooling import TokenPool
from gmv.encoders.precomputed import Precomputed
from gmv.encoders.projection import Projection
from gmv.encoders.token_reduction import TokenReduction
from gmv.errors import IndexRefused

KIND = "precomputed-reduced/1"


class ReducedFeatures(Precomputed):
    """A `Precomputed` encoder. Its id names the features as they are brought; its sizes are those that are kept.

    Attributes:
        brought_shape: (n, d) of tokens as they are brought.
    """

    def __init__(
        self, encoder_id: str, vector_size: int, brought_shape: tuple[int, int], reduction: TokenReduction
    ) -> None:
        super().__init__(encoder_id, vector_size, reduction.shape(*brought_shape))
        self.brought_shape = brought_shape
        self._reduction = reduction

    @property
    def brought_token_size(self) -> int:
        """Numbers of a token as events bring it."""
        return self.brought_shape[1]

    def reduced(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return of float32 [n, d], as an event brings them, what is compared. Raises as `TokenReduction.apply`."""
        return self._reduction.apply(tokens)

    def to_bytes(self) -> bytes:
        """Return its file of parameters; the same parameters give the same bytes."""
        return save(_tensors(self.brought_shape, self._reduction))


def open_reduced(path: Path, encoder_id: str, vector_size: int) -> ReducedFeatures:
    """Read an encoder's parameters.

    Args:
        path: their file.
        encoder_id: as the manifest names it.
        vector_size: D, ditto.

    Raises:
        IndexRefused: the file is missing, damaged, or holds something else.
    """
    tensors = read_parameters(path, load)
    try:
        pool = tuple(_whole_numbers(tensors["pool"]))
        brought = tuple(_whole_numbers(tensors["brought_shape"]))
        mean, matrix = tensors["token.mean"], tensors["token.matrix"]
    except (KeyError, TypeError):
        pool, brought, mean, matrix = (), (), torch.empty(0), torch.empty(0)
    if not (len(brought) == 2 and min(brought + pool) > 0 and len(pool) <= 2 and _is_sound(mean, matrix, brought[1])):
        raise IndexRefused(f"{path} does not say how features are reduced; build the index again")
    reduction = TokenReduction(TokenPool(pool) if pool else None, Projection(mean, matrix) if len(mean) else None)
    return ReducedFeatures(encoder_id, vector_size, (brought[0], brought[1]), reduction)


def _tensors(brought_shape: tuple[int, int], reduction: TokenReduction) -> dict[str, Tensor]:
    """By name; what there is none of is empty."""
    projection = reduction.projection or Projection(torch.empty(0), torch.empty(0, 0))
    return {
        "brought_shape": torch.tensor(brought_shape),
        "pool": torch.tensor(reduction.pool.shape if reduction.pool else (), dtype=torch.int64),
        "token.mean": projection.mean,
        "token.matrix": projection.matrix,
    }


def _whole_numbers(tensor: Tensor) -> list[int]:
    numbers: list[int] = tensor.numpy().astype(np.int64, casting="safe").ravel().tolist()
    return numbers


def _is_sound(mean: Tensor, matrix: Tensor, token_size: int) -> bool:
    """Whether it is a projection of tokens of so many numbers, or none."""
    shapes = tuple(mean.shape), tuple(matrix.shape)
    return (
        mean.dtype == matrix.dtype == torch.float32
        and (
            shapes == ((0,), (0, 0))
            or (
                mean.ndim == 1
                and matrix.ndim == 2
                and matrix.shape[1] > 0
                and shapes[0] == (token_size,) == shapes[1][:1]
            )
        )
        and bool(torch.isfinite(mean).all() and torch.isfinite(matrix).all())
    )
