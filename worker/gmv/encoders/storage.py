"""The fitted descriptor's parameters as a safetensors file."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from gmv.encoders.descriptor import GRID, KIND, FittedDescriptor, Parameters
from gmv.encoders.parameter_file import digest_of, read_parameters
from gmv.encoders.patches import SIDE, Whitening
from gmv.encoders.projection import Projection
from gmv.encoders.working_size import WORKING_SIZE_MAX, WORKING_SIZE_MIN
from gmv.errors import IndexRefused

_VECTOR_CELLS = (GRID // 2) ** 2


def open_descriptor(path: Path) -> FittedDescriptor:
    """Read a descriptor; its id holds a digest of all parameters.

    Raises:
        IndexRefused: the file is missing, damaged, or not such a descriptor's.
    """
    parameters = _parameters(read_parameters(path, load), path)
    named = {name: tensor.numpy() for name, tensor in _tensors(parameters).items()}
    return FittedDescriptor(f"{KIND}@{digest_of(named)}", parameters)


def _tensors(parameters: Parameters) -> dict[str, Tensor]:
    """By name; the working size is a tensor too, since safetensors writes metadata in no fixed order."""
    named = {
        "working_size": torch.tensor(parameters.working_size),
        "whitening.matrix": parameters.whitening.matrix,
        "whitening.offset": parameters.whitening.offset,
        "atoms": parameters.atoms,
    }
    projections = {"cells": parameters.cells, "token": parameters.token, "vector": parameters.vector}
    for name, projection in projections.items():
        named |= {f"{name}.mean": projection.mean, f"{name}.matrix": projection.matrix}
    return named


def _parameters(tensors: dict[str, Tensor], path: Path) -> Parameters:
    try:
        parameters = Parameters(
            working_size=tensors["working_size"].numpy().astype(np.int64, casting="safe").item(),
            whitening=Whitening(tensors["whitening.matrix"], tensors["whitening.offset"]),
            atoms=tensors["atoms"],
            cells=Projection(tensors["cells.mean"], tensors["cells.matrix"]),
            token=Projection(tensors["token.mean"], tensors["token.matrix"]),
            vector=Projection(tensors["vector.mean"], tensors["vector.matrix"]),
        )
        sound = _is_sound(parameters)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError):
        sound = False
    if not sound:
        raise IndexRefused(f"{path} does not hold a {KIND}; build the index again")
    return parameters


def _is_sound(parameters: Parameters) -> bool:
    """Whether the shapes chain from a patch to token and vector, and every number is a finite float32."""
    patch = 3 * SIDE * SIDE
    atoms = len(parameters.atoms)
    cell, token, vector = (each.matrix.shape[1] for each in (parameters.cells, parameters.token, parameters.vector))
    shapes = {
        "whitening.matrix": (patch, patch),
        "whitening.offset": (patch,),
        "atoms": (atoms, patch),
        "cells.mean": (atoms,),
        "cells.matrix": (atoms, cell),
        "token.mean": (cell,),
        "token.matrix": (cell, token),
        "vector.mean": (_VECTOR_CELLS * cell,),
        "vector.matrix": (_VECTOR_CELLS * cell, vector),
    }
    tensors = _tensors(parameters)
    return (
        WORKING_SIZE_MIN <= parameters.working_size <= WORKING_SIZE_MAX
        and min(atoms, cell, token, vector) > 0
        and all(tuple(tensors[name].shape) == shape for name, shape in shapes.items())
        and all(tensors[name].dtype == torch.float32 for name in shapes)
        and all(bool(torch.isfinite(tensors[name]).all()) for name in shapes)
    )
