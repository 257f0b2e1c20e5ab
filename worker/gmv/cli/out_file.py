"""The file that `--out` names, written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gmv.errors import InvalidSettings
from gmv.whole_file import whole_file


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the path's place once it is whole and on disk; if the block fails, it is gone.

    Raises:
        InvalidSettings: no file can be made there.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise InvalidSettings(f"--out {path} is there and is no file; give another name")
    if not os.access(target.parent, os.W_OK):
        why = "Permission denied" if target.parent.exists() else "No such file or directory"
        raise InvalidSettings(f"--out {path}: {why}; give a file in a folder that can be written")
    with whole_file(target) as file:
        yield file
