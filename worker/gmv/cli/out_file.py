"""Files that `--out` and other options name, written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gmv.errors import InvalidSettings
from gmv.whole_file import whole_file


@contextmanager
def replacing(path: Path, option: str = "--out") -> Iterator[BinaryIO]:
    """Give a file to write that takes the path's place once it is whole and on disk; if the block fails, it is gone.

    Args:
        path: of the file to be.
        option: that named it.

    Raises:
        InvalidSettings: no file can be made there.
    """
    with whole_file(place_of(path, option)) as file:
        yield file


def place_of(path: Path, option: str) -> Path:
    """Return where a file is written, links followed.

    Raises:
        InvalidSettings: no file can be made there.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise InvalidSettings(f"{option} {path} is there and is no file; give another name")
    if not os.access(target.parent, os.W_OK):
        why = "Permission denied" if target.parent.exists() else "No such file or directory"
        raise InvalidSettings(f"{option} {path}: {why}; give a file in a folder that can be written")
    return target
