"""The Go programs of examples/go, built where they can be run."""

import subprocess
from pathlib import Path

from tests.services.server import ServerError, find_program

EXAMPLES = Path(__file__).parents[2] / "examples" / "go"


def build(name: str, folder: Path) -> Path:
    """Build one of the programs; Go fetches the modules it has not got, as pinned in go.sum.

    Raises:
        ServerError: it cannot be built.
    """
    program = folder / name
    command = [find_program("go"), "build", "-mod=readonly", "-o", str(program), f"./{name}"]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True)
    if done.returncode:
        raise ServerError(f"{name} could not be built:\n{done.stderr}")
    return program
