"""The exact descriptor's parameters as a safetensors file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from gmv.encoders.exact.descriptor import KIND, ExactDescriptor
from gmv.encoders.exact.kernels import LARGEST
from gmv.encoders.exact.parameters import PATCH_NUMBERS, Parameters
from gmv.encoders.integer_projection import IntegerProjection
from gmv.encoders.parameter_file import digest_of, read_parameters
from gmv.encoders.working_size import WORKING_SIZE_MAX, WORKING_SIZE_MIN
from gmv.errors import IndexRefused

Array = NDArray[Any]

_PROJECTIONS = ("cells", "tokens")
_INTEGER = "working_size"
_FACTORS = ("whitening_factor", "roots_factor", "cells_factor")
_DTYPES = {
    "whitening": np.int8,
    "whitening_offset": np.int64,
    "atoms": np.int8,
    **{f"{name}.mean": np.int64 for name in _PROJECTIONS},
    **{f"{name}.matrix": np.int16 for name in _PROJECTIONS},
    **{f"{name}.signs": np.int8 for name in _PROJECTIONS},
    **dict.fromkeys(_FACTORS, np.float64),
    _INTEGER: np.int64,
}


def to_bytes(parameters: Parameters) -> bytes:
    """Return the file; the same parameters give the same bytes."""
    return save({name: np.array(array, order="C") for name, array in _arrays(parameters).items()})


def open_exact(path: Path) -> ExactDescriptor:
    """Read a descriptor; its id holds a digest of all parameters.

    Raises:
        IndexRefused: the file is missing, damaged, or not such a descriptor's.
    """
    arrays = read_parameters(path, load)
    if {name: array.dtype for name, array in arrays.items()} != _DTYPES or not _is_sound(arrays):
        raise IndexRefused(f"{path} does not hold a {KIND}; build the index again")
    return ExactDescriptor(f"{KIND}@{digest_of(arrays)}", _parameters(arrays))


def _arrays(parameters: Parameters) -> dict[str, Array]:
    named: dict[str, Array] = {}
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if isinstance(value, IntegerProjection):
            named |= {f"{field.name}.{part.name}": getattr(value, part.name) for part in fields(value)}
        else:
            named[field.name] = np.asarray(value, _DTYPES[field.name])
    return named


def _parameters(arrays: dict[str, Array]) -> Parameters:
    values: dict[str, Any] = {
        name: IntegerProjection(*(arrays[f"{name}.{part.name}"] for part in fields(IntegerProjection)))
        for name in _PROJECTIONS
    }
    values |= {name: arrays[name].item() for name in (_INTEGER, *_FACTORS)}
    values |= {name: arrays[name] for name in ("whitening", "whitening_offset", "atoms")}
    return Parameters(**values)


def _is_sound(arrays: dict[str, Array]) -> bool:
    """Whether the shapes chain from a patch to tokens, and no number leaves the range of its step."""
    atoms, cell, token = (len(arrays["atoms"]), *(arrays[f"{name}.signs"].size for name in _PROJECTIONS))
    shapes = {
        "whitening": (PATCH_NUMBERS, PATCH_NUMBERS),
        "whitening_offset": (PATCH_NUMBERS,),
        "atoms": (atoms, PATCH_NUMBERS),
        **_shapes_of("cells", atoms, cell),
        **_shapes_of("tokens", cell, token),
        **dict.fromkeys((_INTEGER, *_FACTORS), ()),
    }
    return (
        min(atoms, cell, token) > 0
        and atoms % 2 == 0
        and {name: array.shape for name, array in arrays.items()} == shapes
        and WORKING_SIZE_MIN <= arrays[_INTEGER].item() <= WORKING_SIZE_MAX
        and all(0 < arrays[name].item() < np.inf for name in _FACTORS)
        and all(bool((np.abs(arrays[f"{name}.signs"]) == 1).all()) for name in _PROJECTIONS)
        and all(int(np.abs(arrays[name].astype(np.int64)).max()) <= LARGEST for name in ("whitening", "atoms"))
    )


def _shapes_of(name: str, size: int, components: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.mean": (size,), f"{name}.matrix": (size, components), f"{name}.signs": (components,)}
