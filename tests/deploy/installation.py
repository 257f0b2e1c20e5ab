"""An installation of some of gmv's requirements: a folder of links to the packages that they lead to, and no others."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distribution, requires
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final[Mapping[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def installed(folder: Path, requirements: Sequence[str]) -> Path:
    """Fill a folder, and return it."""
    for name in {canonicalize_name(name) for name in _needed(requirements)}:
        package = distribution(name)
        for top in _top_level(package):
            if not (folder / top).exists():
                (folder / top).symlink_to(str(package.locate_file(top)))
    return folder


def run(packages: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command of this checkout's gmv with those packages, beside their folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GMV_", "PYTHON"))}
    paths = os.pathsep.join(map(str, (ROOT / "worker", packages)))
    command = [sys.executable, "-S", "-m", "gmv", *map(str, arguments)]
    return subprocess.run(
        command, env=environment | {"PYTHONPATH": paths}, cwd=packages.parent, capture_output=True, text=True
    )


def _needed(requirements: Sequence[str], extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names of what the requirements lead to."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": one}) for one in {"", *extras}):
            yield requirement.name
            yield from _needed(requires(requirement.name) or [], frozenset(requirement.extras))


def _top_level(package: Distribution) -> set[str]:
    """What the package has in site-packages, but for its scripts."""
    return {file.parts[0] for file in package.files or () if file.parts[0] not in {"..", "__pycache__"}}
