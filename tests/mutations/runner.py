"""Runs tests in a copy of the tree, with one protection less each time."""

import os
import re
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
SECONDS_MAX = 900.0  # of a whole run; the kernel is compiled again for each of its mutations
FAILED = 1  # how pytest and the simulator end where a test failed; other codes say that none was run
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) tests/(?P<file>[^:\s]+)(?P<test>::.*?)?(?: - .*)?$", re.MULTILINE)
_VIOLATION = re.compile(r"^violated (?P<invariant>I\d+)[^\0]*?--seed (?P<seed>\d+)", re.MULTILINE)


class NotJudged(Exception):  # noqa: N818 - a flow word
    """A test fails without any mutation, or could not be run at all."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutation.

    Attributes:
        mutation: a protection that was taken away.
        caught_by: the test that failed; "" where all passed.
        seconds: until then.
    """

    mutation: Mutation
    caught_by: str
    seconds: float


class Tree:
    """A copy of the checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def test(self, arguments: Arguments, *, is_mutated: bool = False) -> tuple[int, str]:
        """Run a test; return its exit code, and all it wrote.

        Where nothing is mutated, Python keeps what it compiled, for all that follow: a second less for each.
        """
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root / "worker"),
            "NUMBA_CACHE_DIR": str(self._root / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "1" if is_mutated else "",
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
        began = time.perf_counter()
        with self._without(mutation):
            code, said = self.test(mutation.caught_by, is_mutated=True)
        if code not in (0, FAILED):
            raise NotJudged(f"{mutation.protection}: {' '.join(mutation.caught_by)} exited {code}:\n{said}")
        return Verdict(mutation, failed_test(said) if code == FAILED else "", time.perf_counter() - began)

    @contextmanager
    def _without(self, mutation: Mutation) -> Iterator[None]:
        """Python knows a file that changed by its age in seconds and its size: so the age is another."""
        file = self._root / SOURCE / mutation.file
        text, age = file.read_text(), file.stat().st_mtime
        file.write_text(mutation.applied_to(text))
        os.utime(file, (age + 1, age + 1))
        try:
            yield
        finally:
            file.write_text(text)
            os.utime(file, (age, age))


def failed_test(said: str) -> str:
    """Return which test failed, from what pytest or the simulator wrote."""
    if (test := _FAILED_TEST.search(said)) is not None:
        return f"{test['file']}{test['test'] or ''}"
    if (violation := _VIOLATION.search(said)) is not None:
        return f"simulator: {violation['invariant']}, seed {violation['seed']}"
    raise NotJudged(f"a test failed, and did not say which:\n{said}")


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
