"""A commit of gmv in a work tree of its own, whose commands are run as a user runs them."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.services.server import mortal

ROOT: Final = Path(__file__).parents[1]

_COMMAND_SECONDS_MAX: Final = 1_200.0


class CommandFailed(Exception):  # noqa: N818 - it belongs to the commit, not to us
    """A command of one of the commits did not end well; the message has what it printed."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A checkout, and the folder that its commands run in.

    Attributes:
        name: for people, `before` or `after`.
        checkout: root of the work tree.
        folder: working directory of all commands; relative paths in results are the same for both commits.
        results: where results are written to.
    """

    name: str
    checkout: Path
    folder: Path
    results: Path

    @property
    def environment(self) -> dict[str, str]:
        """The checkout before all else on Python's path, and no setting of gmv but those given on command lines."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GMV_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled once per checkout, not once per command
        return kept | {"PYTHONPATH": str(self.checkout / "worker"), "PYTHONSAFEPATH": "1"}

    def run(self, *arguments: object, settings: Mapping[str, str] | None = None) -> bytes:
        """Run `gmv` to its end, and return what it printed.

        Raises:
            CommandFailed: it ended with another code than 0.
        """
        return self.python("-m", "gmv", *arguments, settings=settings)

    def python(self, *arguments: object, settings: Mapping[str, str] | None = None) -> bytes:
        """Run Python as `run` does."""
        command = mortal([sys.executable, *map(str, arguments)])
        environment = self.environment | dict(settings or {})
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                command, cwd=self.folder, env=environment, capture_output=True, timeout=_COMMAND_SECONDS_MAX
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{self.name}: {' '.join(command)} took more than {error.timeout:g} s") from None
        if done.returncode:
            printed = (done.stdout + done.stderr).decode(errors="replace")
            raise CommandFailed(f"{self.name}: {' '.join(command)} ended with {done.returncode}:\n{printed}")
        return done.stdout

    def check_import(self) -> None:
        """See that commands import the checkout's gmv, and not the one that is installed.

        Raises:
            CommandFailed: they do not.
        """
        found = Path(self.python("-c", "import gmv; print(gmv.__file__)").decode().strip())
        if not found.is_relative_to(self.checkout):
            raise CommandFailed(f"{self.name}: gmv was imported from {found}, not from {self.checkout}")

    def keep(self, name: str, content: bytes) -> None:
        """Write a result."""
        path = self.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def keep_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Write a result of lines."""
        self.keep(name, _ended(lines))

    def write_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Write a file that commands are to read."""
        (self.folder / name).write_bytes(_ended(lines))


@contextmanager
def checked_out(name: str, revision: str, folder: Path) -> Iterator[Commit]:
    """Check a commit out below a folder, and remove the work tree at the end; results stay.

    Args:
        name: `before` or `after`.
        revision: as git takes it.
        folder: new.

    Raises:
        CommandFailed: git knows no such commit, or its gmv cannot be imported.
    """
    commit = Commit(name, folder / "checkout", folder / "run", folder / "results")
    for path in (commit.folder, commit.results):
        path.mkdir(parents=True)
    _git("worktree", "add", "--detach", str(commit.checkout), revision)
    try:
        commit.check_import()
        yield commit
    finally:
        _git("worktree", "remove", "--force", str(commit.checkout))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)  # noqa: S603, S607
    if done.returncode:
        raise CommandFailed(f"git {' '.join(arguments)}: {done.stderr.strip()}")


def _ended(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
