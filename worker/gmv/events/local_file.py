"""Reads a file under a folder, and no other file, for any path, and though folders change meanwhile."""

import os
import stat
from pathlib import Path


class PathRefused(Exception):  # noqa: N818 - becomes a refusal
    """The path leads out of the folder, or to something that is no regular file."""


def read_below(root: Path, path: str, bytes_max: int) -> bytes:
    """Read at most `bytes_max` bytes of a file.

    Symbolic links are followed as long as they end under the folder. What they resolve to is then opened part by
    part without following any, so that a link put there in between is not followed either. A pipe or a device is
    refused without waiting for it.

    Args:
        root: the folder.
        path: absolute, or relative to the folder.
        bytes_max: where to stop reading.

    Raises:
        PathRefused: see there.
        OSError: the file is missing, unreadable or damaged.
    """
    if ".." in Path(path).parts:
        raise PathRefused("it has '..' in it")
    root = root.resolve(strict=True)
    resolved = (root / path).resolve(strict=True)
    if not resolved.is_relative_to(root):
        raise PathRefused(f"it is not under {root}")
    descriptor = _open_without_links(root, resolved.relative_to(root).parts)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PathRefused("it is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(bytes_max)
    finally:
        os.close(descriptor)


def _open_without_links(root: Path, parts: tuple[str, ...]) -> int:
    """Return a descriptor; O_NONBLOCK, because to open a pipe would wait for its writer."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(root, flags)
    for part in parts:
        folder = descriptor
        try:
            descriptor = os.open(part, flags, dir_fd=folder)
        finally:
            os.close(folder)
    return descriptor
