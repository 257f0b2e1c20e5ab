"""Whether a corpus is still the one that was read before, without reading it."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def fingerprint(files: Iterable[Path], reading: str) -> str:
    """Return 32 hex digits over names, sizes and times of a corpus's files: cheap, and enough to see a change.

    Args:
        files: in any order; those that are not there count, too.
        reading: how they are read, such as the names of columns.
    """
    digest = hashlib.blake2b(f"{reading}\n".encode(), digest_size=16)
    for file in sorted({file.absolute() for file in files}):
        digest.update(os.fsencode(file))
        try:
            found = file.stat()
        except OSError:
            digest.update(b"\0\n")
        else:
            digest.update(f"\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
