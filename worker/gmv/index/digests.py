"""Digests of an index's files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from gmv.errors import IndexRefused
from gmv.index.manifest import FileEntry


def file_entry(path: Path) -> FileEntry:
    """Read a file through and describe it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(bytes=file.tell(), sha256=digest)


def check_sizes(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Check that all files are there and as long as they were.

    Raises:
        IndexRefused: one is missing, or longer or shorter.
    """
    for name, entry in files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            raise IndexRefused(f"{folder / name}: {error.strerror}; {_REMEDY}") from error
        if size != entry.bytes:
            raise IndexRefused(f"{folder / name} has {size:,} bytes, it was built with {entry.bytes:,}; {_REMEDY}")


def check_digests(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Read all files through and check that no bit differs.

    Raises:
        IndexRefused: one cannot be read or was altered.
    """
    for name, entry in files.items():
        try:
            found = file_entry(folder / name)
        except OSError as error:
            raise IndexRefused(f"{folder / name}: {error.strerror}; {_REMEDY}") from error
        if found != entry:
            raise IndexRefused(f"{folder / name} was altered: its SHA-256 is not the manifest's; {_REMEDY}")


_REMEDY = "copy the index again from where it was built, or build it again"
