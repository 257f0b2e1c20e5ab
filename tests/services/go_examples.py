"""The Go programs of examples/go, built where they can be run."""

import os
import subprocess
from pathlib import Path

from tests.services.go_tools import find_go
from tests.services.server import ServerError

EXAMPLES = Path(__file__).parents[2] / "examples" / "go"


def build(name: str, folder: Path) -> Path:
    """Build one of the programs; Go fetches the modules it has not got, as pinned in go.sum.

    Raises:
        ServerError: it cannot be built.
    """
    program = folder / name
    command = [find_go(), "build", "-mod=readonly", "-o", str(program), f"./{name}"]
    variables = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    done = subprocess.run(command, cwd=EXAMPLES, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise ServerError(f"{name} could not be built:\n{done.stderr}")
    return program
