"""Files of an index that hold something of each row: written of rows of others, in the order wanted."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK_ROWS = 8_192


def write_rows(path: Path, parts: Sequence[NDArray[Any]], rows: NDArray[np.int64]) -> None:
    """Write a NumPy file of rows of arrays, by chunks; through Python's own file, whose errors name a full disk.

    Args:
        path: of the file.
        parts: [rows, ...], mapped or in memory, alike but for their rows; counted one after another.
        rows: int64, those wanted, in order.
    """
    first = parts[0]
    header = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (len(rows), *first.shape[1:]),
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(rows), _CHUNK_ROWS):
            file.write(_taken(parts, rows[start : start + _CHUNK_ROWS]).data)


def link(existing: Path, path: Path) -> None:
    """Give a file a second name, or copy it where the file system has no links."""
    try:
        os.link(existing, path)
    except OSError:
        shutil.copyfile(existing, path)


def _taken(parts: Sequence[NDArray[Any]], rows: NDArray[np.int64]) -> NDArray[Any]:
    taken = np.empty((len(rows), *parts[0].shape[1:]), parts[0].dtype)
    before = 0
    for part in parts:
        is_here = (rows >= before) & (rows < before + len(part))
        taken[is_here] = part[rows[is_here] - before]
        before += len(part)
    return taken
