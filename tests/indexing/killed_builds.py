"""Builds that are killed by SIGKILL just before they change the file system for the n-th time, for every n.

Each build is a child forked from a process that has imported everything and loaded numba's compiled code, of which
nothing but the re-rank has run: imports take two seconds, that code half a second, and a build of these corpora a tenth
of one; and a fork of a process whose OpenMP threads run may hang.
"""

import hashlib
import multiprocessing.pool
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute  # noqa: F401 - else each child would load it

from gmv.indexing import staging as index_features
from gmv.threads import limit_threads
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.indexing.index_builds import add, build, remove

Digests = dict[str, str] | None
"""SHA-256 by file name; None: there is no such folder."""

_IMAGES_AT_ONCE = 2
_CHANGES = frozenset({"os.remove", "os.rename", "os.link", "os.mkdir", "os.truncate", "os.rmdir"})


class Outcome(NamedTuple):
    """What was there after a kill, and after the build was run again."""

    killed: Digests
    replaced: Digests
    resumed: Digests


def digests(folder: Path) -> Digests:
    if not folder.exists():
        return None
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


Forge = multiprocessing.pool.Pool
"""The process that builds are forked from."""


def forge() -> Forge:
    return multiprocessing.get_context("spawn").Pool(1, _prepare)


def _prepare() -> None:
    limit_threads()
    ExactReranker(np.zeros((1, 1, 1), np.int8))


def kill_everywhere(place: Forge, corpus: Path, out: Path, before: Path | None = None, **options: Any) -> list[Outcome]:
    """Kill a build at its first step, its second, and so on, until one gets through; run each again.

    Args:
        place: to fork from.
        corpus: to build of.
        out: the index; gone afterwards.
        before: an index that is under its name when a build begins.
        options: of the build.
    """
    return place.apply(_kill_everywhere, [corpus, out, before, options])


def _kill_everywhere(corpus: Path, out: Path, before: Path | None, options: dict[str, Any]) -> list[Outcome]:
    index_features._IMAGES_AT_ONCE = _IMAGES_AT_ONCE
    replaced = out.with_name(f"{out.name}.replaced")
    outcomes: list[Outcome] = []
    killed = True
    while killed:
        if before:
            shutil.copytree(before, out)
        killer = _Killer(len(outcomes) + 1, f"{out.parent}/{out.name}")
        killed = _in_a_child(partial(_build, corpus, out, options, killer)) == -signal.SIGKILL
        after_kill, given_way = digests(out), digests(replaced)
        assert _in_a_child(lambda: _build(corpus, out, options | {"replace": True})) == 0
        outcomes.append(Outcome(after_kill, given_way, digests(out)))
        shutil.rmtree(out)
    assert list(out.parent.glob(f"{out.name}*")) == []
    return outcomes


def _in_a_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _build(corpus: Path, out: Path, options: dict[str, Any], killer: "_Killer | None" = None) -> None:
    if killer:
        sys.addaudithook(killer)
    parent = options.get("parent")
    if parent is None:
        build(corpus, out, **options)
    elif corpus.suffix == ".parquet":
        if not out.exists():
            add(parent, corpus, out)
    elif not out.exists():
        remove(parent, out, corpus.read_text().split())


class _Killer:
    """An audit hook: Python tells it of every file that is opened, renamed or removed, before that is done."""

    def __init__(self, step: int, prefix: str) -> None:
        self._left = step
        self._prefix = prefix

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._changes(event, arguments) and str(arguments[0]).startswith(self._prefix):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _changes(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            path, _, flags = arguments
            return isinstance(path, str | os.PathLike) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        return event in _CHANGES
