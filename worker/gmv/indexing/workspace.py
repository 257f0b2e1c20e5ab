"""Where an index is built: a folder beside its final name, that a build which was killed goes on in.

Nothing is under the final name before everything is on disk and described by the manifest. What is staged and by
how much is in a journal, whose first line names the inputs: a workspace of other inputs is emptied.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from gmv.errors import DiskFull, IndexRefused
from gmv.index.manifest import MANIFEST
from gmv.whole_file import make_folder, write_whole

_JOURNAL = "journal.jsonl"
_LOCK = "lock"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Workspace:
    """A folder `<out>.partial` and its journal."""

    def __init__(self, folder: Path, journal: list[dict[str, Any]]) -> None:
        self.folder = folder
        self.journal = journal

    def note(self, entry: Mapping[str, Any]) -> None:
        """Write down that a step is done, once what it wrote is on disk."""
        with (self.folder / _JOURNAL).open("ab") as file:
            file.write(orjson.dumps(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.journal.append(dict(entry))

    def staged(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap[Any, Any]:
        """Map an array file for writing, made with all its space the first time.

        A full disk is an error here, where it can be named; in a mapped page it would kill the process.
        """
        path = self.folder / name
        if not path.exists():
            partial = path.with_suffix(".making")
            np.lib.format.open_memmap(partial, "w+", np.dtype(dtype), shape)
            with partial.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, partial.stat().st_size)
            partial.replace(path)
        mapped: np.memmap[Any, Any] = np.lib.format.open_memmap(path, "r+")
        return mapped

    def write(self, name: str, content: bytes) -> None:
        """Write a file that is never seen half written under its name; on disk when this returns."""
        write_whole(self.folder / name, content)
        _sync(self.folder)

    def settle(self, name: str) -> None:
        """Have a file that something else wrote on disk, so that it can be noted as done."""
        _sync(self.folder / name)
        _sync(self.folder)

    def publish(self, out: Path, keep: frozenset[str]) -> None:
        """Give the folder its final name, with these files and no others, all of them on disk.

        An index that is there gives way only now, and is deleted last: killed between the two renames, a build
        leaves it under `<out>.replaced`.
        """
        for name in keep:
            _sync(self.folder / name)
        (self.folder / _JOURNAL).unlink()  # first of all: it lists staged files that go next
        _sync(self.folder)
        for path in self.folder.iterdir():
            if path.name not in keep:
                path.unlink()
        _sync(self.folder)
        replaced = out.with_name(f"{out.name}.replaced")
        if out.exists():
            shutil.rmtree(replaced, ignore_errors=True)
            out.rename(replaced)
        self.folder.rename(out)
        _sync(out.parent)
        shutil.rmtree(replaced, ignore_errors=True)


def check_out(out: Path, replace: bool = False, remedy: str = "give another --out") -> None:
    """See that nothing is under an index's final name, or an index that may give way.

    Args:
        out: the name.
        replace: whether it may give way.
        remedy: what to do where it may not.

    Raises:
        IndexRefused: something is.
    """
    if not out.exists():
        return
    if not (out / MANIFEST).is_file():
        raise IndexRefused(f"{out} is there and is no index; give another --out")
    if not replace:
        raise IndexRefused(f"{out} holds an index; {remedy}")


@contextmanager
def open_workspace(out: Path, inputs: Mapping[str, Any]) -> Iterator[Workspace]:
    """Take the workspace of an index to be, for this process alone.

    Args:
        out: the index's final folder.
        inputs: all that decides the index; a build of the same inputs is gone on with.

    Raises:
        IndexRefused: another process is building there.
        InvalidSettings: no folder can be made there.
        DiskFull: there is no space left; what was done until then is kept.
    """
    folder = out.with_name(f"{out.name}.partial")
    try:
        make_folder(folder)
        with (folder / _LOCK).open("a") as lock:
            _take(lock.fileno(), folder)
            workspace = Workspace(folder, _read_journal(folder / _JOURNAL))
            if workspace.journal[:1] != [{"inputs": dict(inputs)}]:
                _empty(folder)
                workspace.journal = []
                workspace.note({"inputs": dict(inputs)})
            yield workspace
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(
                f"no space is left for the index in {folder} ({error.strerror}); make some and run the same command "
                "again: it goes on from here"
            ) from error
        raise


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise IndexRefused(f"another process is building in {folder}; wait for it, or give another --out") from None


def _read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the whole entries: a line that was cut off in writing counts as not written."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    try:
        return [orjson.loads(line) for line in whole.splitlines()]
    except orjson.JSONDecodeError:
        return []


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
