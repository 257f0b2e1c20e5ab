"""Files of parameters, by safetensors, and the digest that names what they hold."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from gmv.errors import IndexRefused

T = TypeVar("T")


def read_parameters(path: Path, load: Callable[[bytes], dict[str, T]]) -> dict[str, T]:
    """Read a file by name of parameter.

    Args:
        path: the file.
        load: of safetensors, for the kind of arrays that are wanted.

    Raises:
        IndexRefused: it is missing or damaged.
    """
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise IndexRefused(f"{path}: {error.strerror}; build the index again") from error
    except SafetensorError as error:
        raise IndexRefused(f"{path} is no safetensors file ({error}); build the index again") from error


def digest_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return 16 hex digits over names, shapes and values."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
