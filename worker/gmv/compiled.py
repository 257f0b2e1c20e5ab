"""How the functions of the kernel are compiled: once for all processes of a user, and so that threads run beside it."""

import atexit
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from gmv.errors import InvalidSettings
from gmv.temporary import TemporaryFolder


def _misread(why: object) -> InvalidSettings:
    given = ", ".join(f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_"))
    return InvalidSettings(
        f"numba cannot use its settings, {given or 'which no variable gives'} (NUMBA_… variables, or "
        f".numba_config.yaml in this folder): {why}; gmv needs none of them, so unset them, or correct that one"
    )


with warnings.catch_warnings(record=True) as _warned:
    try:
        import numba
    except ImportError:
        raise
    except Exception as error:  # it reads its settings while it is imported, and each fails in its own way
        raise _misread(error) from error
for _each in _warned:
    if "NUMBA_" in str(_each.message):  # of a value that is no number it prints a traceback, and goes on without
        raise _misread(str(_each.message).splitlines()[0])
    warnings.warn_explicit(_each.message, _each.category, _each.filename, _each.lineno)

Function = TypeVar("Function", bound=Callable[..., Any])

CACHE_VARIABLE: Final = "NUMBA_CACHE_DIR"
"""Names the folder for compiled code; where unset, it is `gmv` under the user's cache folder, if the user has one."""

_ROOMS: Final = ("valuation", "index", "encoders", "linear")
"""With compiled functions in them."""

_KERNEL: Final = "wasserstein"
"""The folder of the re-rank kernel's sources; numba keeps its code in one of that name, and a digest of the path."""

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made from variables when numba is imported
    raise InvalidSettings(
        "numba is told to compile nothing (NUMBA_DISABLE_JIT, or .numba_config.yaml), and the re-rank kernel is "
        "machine instructions that Python cannot run; unset it"
    )

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


def borrowing(function: Function) -> Function:
    """Compile as `strict` does, without counting who holds which array, which others then hold throughout.

    For functions of many arrays that make none: else each call counts every one up and down again, atomically, 1.2 us
    for the scratch of a re-rank. numba refuses to compile what needs memory of its own so, such as one array copied to
    another by a slice; of functions that are called, too. Python must not be given an array by one.
    """
    return _compile(function, fastmath=False, _nrt=False)


def _compile(function: Function, fastmath: Any, **options: Any) -> Function:
    decorator: Any = numba.njit(nogil=True, cache=FOLDER is not None, error_model="numpy", fastmath=fastmath, **options)
    compiled: Function = decorator(function)
    return compiled


def cache_folder(sources: Iterable[Path], wanted: Path | None) -> Path | None:
    """Return the folder where these sources' compiled code is kept, or may be written; None where none can be made.

    The folder is named by a digest of all the sources: numba compares only the file of the function asked for, and
    would go on using code compiled from an older version of another file.

    Args:
        sources: folders of Python files, with folders in them.
        wanted: where to keep it. On a file system that is read-only (an image's, filled when that was built), it is
            copied into a temporary folder, as numba loads from writable folders only. None where nobody knows.
    """
    files = [file for folder in sources for file in sorted(folder.rglob("*.py"))]
    files += [Path(__file__), Path(__file__).with_name("processor.py")]  # which say how they are compiled
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = None if wanted is None else wanted / f"gmv-{numba.__version__}-{digest}"
    if folder is not None and _is_writable(folder):
        return folder
    try:
        copied = TemporaryFolder("compiled")
    except InvalidSettings:
        return None
    atexit.register(copied.remove)
    try:
        if folder is not None and folder.is_dir():
            shutil.copytree(folder, copied.path, dirs_exist_ok=True)
    except OSError:  # there is no space for it; a part of it could not be told from all of it
        copied.remove()
        return None
    return copied.path


def is_compiled() -> bool:
    """Return whether the re-rank kernel was compiled before, by any process, into the folder in use."""
    return FOLDER is not None and any(FOLDER.glob(f"{_KERNEL}_*/*.nbc"))


def is_kept() -> bool:
    """Return whether what this process compiles is there for others, after it."""
    return FOLDER is not None and WANTED is not None and FOLDER.is_relative_to(WANTED)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _wanted_folder() -> Path | None:
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if users := os.environ.get("XDG_CACHE_HOME"):
        return Path(users) / "gmv"
    try:
        return Path.home() / ".cache" / "gmv"
    except RuntimeError:  # HOME is not set, and nobody knows this user, as in a container that runs as any number
        return None


def _tuned(features: str) -> str:
    """Return a processor's features with the choice that LLVM leaves out: one instruction for a product and its sum.

    With `vpdpwssd` the squared costs of whole numbers take half the time that `vpmaddwd` and `vpaddd` do (2.6 us and
    5.1 of 64 x 64 tokens, on Emerald Rapids), but LLVM takes the two unless told. It changes no result.
    """
    return f"{features},+fast-dpwssd" if "+avx512vnni" in features.split(",") else features


WANTED: Final = _wanted_folder()
FOLDER: Final = cache_folder([Path(__file__).parent / room for room in _ROOMS], WANTED)
if numba.config.CPU_NAME is None and numba.config.CPU_FEATURES is None:  # type: ignore[attr-defined]  # ditto
    from numba.core.codegen import get_host_cpu_features

    numba.config.CPU_FEATURES = _tuned(get_host_cpu_features())  # type: ignore[attr-defined,no-untyped-call]  # ditto
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]  # made from variables when numba is imported
