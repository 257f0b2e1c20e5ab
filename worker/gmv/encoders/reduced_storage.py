"""How features are reduced, as a safetensors file."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from gmv.encoders.parameter_file import read_parameters
from gmv.encoders.pooling import TokenPool
from gmv.encoders.projection import Projection
from gmv.encoders.reduced import ReducedFeatures
from gmv.encoders.token_reduction import TokenReduction
from gmv.errors import IndexRefused


def to_bytes(encoder: ReducedFeatures) -> bytes:
    """Return the file; the same parameters give the same bytes."""
    return save(_tensors(encoder.brought_shape, encoder.reduction))


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
