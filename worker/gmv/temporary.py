"""Temporary folders that outlive no process for long: what a killed one left is removed by the next that needs one."""

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from gmv.errors import InvalidSettings

_LOCK: Final = ".in-use"


class TemporaryFolder:
    """A folder that only this user enters; removed by `remove`, at the end of a `with`, or after this process.

    A file in it stays locked as long as this process lives, however it ends: no other process takes it for left over.

    Attributes:
        path: the folder.
    """

    def __init__(self, purpose: str) -> None:
        """Make a folder, after removing what dead processes left of the same purpose.

        Args:
            purpose: part of its name, `gmv-<purpose>-…`.

        Raises:
            InvalidSettings: no folder for temporary files can be written.
        """
        try:
            root = Path(tempfile.gettempdir())
            _remove_leftovers(root, purpose)
            self._make(root, purpose)
        except OSError as error:
            raise InvalidSettings(
                f"no temporary folder can be made ({error.strerror}); set TMPDIR to a folder that can be written"
            ) from error

    def _make(self, root: Path, purpose: str) -> None:
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=f"gmv-{purpose}-", dir=root))
            self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if (self.path / _LOCK).exists():
                return
            os.close(self._lock)  # another process took it for left over before it was locked

    def remove(self) -> None:
        """Remove it with all that is in it; once more does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def _remove_leftovers(root: Path, purpose: str) -> None:
    for folder in root.glob(f"gmv-{purpose}-*"):
        try:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # being made at this moment, or gone
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
