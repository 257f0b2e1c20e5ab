"""How the functions of the kernel are compiled: once for all processes of a user, and so that threads run beside it."""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba

from gmv.temporary import TemporaryFolder

Function = TypeVar("Function", bound=Callable[..., Any])

CACHE_VARIABLE: Final = "NUMBA_CACHE_DIR"
"""Names the folder for compiled code; where unset, it is `gmv` under the user's cache folder."""

_FINITE_MATHS: Final = {"nsz", "contract", "reassoc", "nnan", "ninf", "arcp"}
"""Sums in any order and fused multiplications, which the error bounds allow for. Neither NaN nor infinity may occur:
LLVM assumes so."""


def fast(function: Function) -> Function:
    """Compile for speed: what it computes is a bound, or guides the search, and its rounding is allowed for."""
    return _compile(function, fastmath=_FINITE_MATHS)


def nan_safe(function: Function) -> Function:
    """Compile for speed, for numbers that nobody has looked at yet: NaN and infinity stay what they are."""
    return _compile(function, fastmath=_FINITE_MATHS - {"nnan", "ninf"})


def strict(function: Function) -> Function:
    """Compile exactly as IEEE 754 says: what it computes is in a receipt, or proves it."""
    return _compile(function, fastmath=False)


def _compile(function: Function, fastmath: Any) -> Function:
    decorator: Any = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=fastmath)
    compiled: Function = decorator(function)
    return compiled


def cache_folder(sources: Path, wanted: Path) -> Path:
    """Return the folder where these sources' compiled code is kept, or may be written.

    The folder is named by a digest of all the sources: numba compares only the file of the function asked for, and
    would go on using code compiled from an older version of another file.

    Args:
        sources: a folder of Python files, with folders in it.
        wanted: where to keep it. On a file system that is read-only (an image's, filled when that was built), it is
            copied into a temporary folder, as numba loads from writable folders only.
    """
    files = [*sorted(sources.rglob("*.py")), Path(__file__)]  # this one says how they are compiled
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = wanted / f"gmv-{numba.__version__}-{digest}"
    if _is_writable(folder):
        return folder
    copied = TemporaryFolder("compiled")
    atexit.register(copied.remove)
    if folder.is_dir():
        shutil.copytree(folder, copied.path, dirs_exist_ok=True)
    return copied.path


def is_compiled() -> bool:
    """Return whether the kernel was compiled before, by any process, into the folder in use."""
    return any(FOLDER.rglob("*.nbc"))


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _wanted_folder() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(user) / "gmv"


FOLDER: Final = cache_folder(Path(__file__).parent / "valuation", _wanted_folder())
numba.config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]  # made from variables when numba is imported
