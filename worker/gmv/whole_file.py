"""Files that are never seen half written under their name, and the folders that they are in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gmv.errors import InvalidSettings


def make_folder(path: Path) -> None:
    """Make the folder that `--out` names, and those above it, where they are not there yet.

    Raises:
        InvalidSettings: they cannot be made there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSettings(f"{path}: {error.strerror}; give --out a place where a folder can be made") from error


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the path's place once it is whole and on disk; if the block fails, it is gone.

    Raises:
        OSError: no file can be made or written there.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file at once. Raises as `whole_file`."""
    with whole_file(path) as file:
        file.write(content)
