"""Runs tests in a copy of the tree, with one protection less each time."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gmv.temporary import TemporaryFolder

from .mutation import SOURCE, Arguments, Mutation

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 300.0
FAILED = 1  # how pytest and the simulator end where a test failed; other codes say that none was run


class NotJudged(Exception):  # noqa: N818 - a flow word
    """A test fails without any mutation, or could not be run at all."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutation."""

    mutation: Mutation
    is_caught: bool
    seconds: float


class Tree:
    """A copy of the checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def test(self, arguments: Arguments) -> tuple[int, str]:
        """Run a test; return its exit code, and all it wrote."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root / "worker"),
            "NUMBA_CACHE_DIR": str(self._root / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "1",  # a mutated file may have the age and the size of the one before
        }
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=self._root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
        )
        return ended.returncode, ended.stdout

    def judge(self, mutation: Mutation) -> Verdict:
        """Take a protection away, run its test, and put it back.

        Raises:
            PatchFailed: the protection is not where it was.
            NotJudged: the test was not run.
        """
        file = self._root / SOURCE / mutation.file
        text = file.read_text()
        began = time.perf_counter()
        file.write_text(mutation.applied_to(text))
        try:
            code, said = self.test(mutation.caught_by)
        finally:
            file.write_text(text)
        if code not in (0, FAILED):
            raise NotJudged(f"{mutation.protection}: {' '.join(mutation.caught_by)} exited {code}:\n{said}")
        return Verdict(mutation, code == FAILED, time.perf_counter() - began)


@contextmanager
def copied_tree() -> Iterator[Tree]:
    """Copy all that git would keep, and lend the copy the servers that were installed for tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with TemporaryFolder("mutations") as root:
        for name in listed.stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        if (ROOT / ".services").exists():
            (root / ".services").symlink_to(ROOT / ".services")
        yield Tree(root)
