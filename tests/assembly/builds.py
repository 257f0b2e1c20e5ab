"""Index builds of tiny corpora, in this process or in one that is killed on the way."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gmv.assembly.index_build import BuildOptions, build_index
from gmv.encoders.fitting import FittingSettings
from gmv.index.corpora import open_corpus
from gmv.index.manifest import Manifest
from gmv.settings import Settings
from tests.encoders.pictures import WORKING_SIZE

FITTING = FittingSettings(working_size=WORKING_SIZE)
CHANGES = frozenset({"os.remove", "os.rename", "os.link", "os.mkdir", "os.truncate", "os.rmdir", "shutil.rmtree"})


@contextmanager
def unseen(_description: str, _total: int | None, _unit: str) -> Iterator[Callable[[int], None]]:
    """A `Progress` that nobody watches."""
    yield lambda _: None


def build(corpus: Path, out: Path, encoder_id: str | None = None, **options: Any) -> Manifest:
    settings = Settings()
    opened = open_corpus(corpus, settings.images.bytes_max, encoder_id=encoder_id)
    return build_index(opened, out, settings, BuildOptions(**{"fitting": FITTING} | options), unseen)


def build_killed_at(step: int, corpus: Path, out: Path, **options: Any) -> bool:
    """Build in a child that is killed just before it changes the file system for the step-th time.

    Returns:
        Whether it was killed; else it had fewer steps, and finished.
    """
    child = os.fork()
    if child == 0:
        try:
            sys.addaudithook(_Killer(step, str(out)))
            build(corpus, out, **options)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


class _Killer:
    def __init__(self, step: int, prefix: str) -> None:
        self._left = step
        self._prefix = prefix

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            changes = isinstance(path, str | os.PathLike) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        else:
            changes = event in CHANGES
        if changes and str(arguments[0]).startswith(self._prefix):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
