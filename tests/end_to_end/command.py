"""The command `gmv`, run as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import orjson

from tests.services.patience import patience


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "gmv", *map(str, arguments)]


def gmv(*arguments: object, exit_code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    """Run it to its end and return what it printed."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=os.environ | dict(environment or {}),
        timeout=patience(120),
    )
    assert done.returncode == exit_code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if exit_code == 0 else done.stderr


def gmv_json(*arguments: object, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(gmv(*arguments, "--json", environment=environment))
    return told
