"""Image files that rows of a corpus name, within the corpus's folder."""

import os
from collections.abc import Collection, Iterator
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

from gmv.corpus.port import ImageFile, MissingImage
from gmv.errors import CorpusRefused
from gmv.passed_over import PassedOver, is_hidden, passed_over

_SHOWN_MAX = 200


def named_file(root: Path, name: Any, where: str) -> Path:
    r"""Return the path of a file that a row names.

    Links are followed wherever they lead: a corpus is its operator's own, and a download cache consists of links.

    Args:
        root: the corpus's folder.
        name: relative to it, with slashes.
        where: the row, for a refusal.

    Raises:
        CorpusRefused: it is no name, leads out of the folder, or is written with backslashes.
    """
    if not isinstance(name, str) or not is_inside(name):
        raise CorpusRefused(f"{where}: file_name {shown(name)} should name a file inside {root}")
    path: Path = root / name
    if "\\" in name and not is_there(path):
        raise CorpusRefused(f"{where}: file_name {shown(name)} has backslashes; folders are parted by slashes here")
    return path


def is_there(path: Path) -> bool:
    """Return whether a file is there, also for names that no file can have, such as text in place of a path."""
    try:
        return path.is_file()
    except OSError:
        return False


def shown(name: Any) -> str:
    """Return a name in quotes, cut off where it is no name at all but a text."""
    text = repr(name)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def is_inside(name: str) -> bool:
    """Return whether a file's name, with slashes, leads to a place within the folder that it is relative to."""
    if not name or "\0" in name or PurePosixPath(name).is_absolute():
        return False
    return PurePosixPath(normpath(name)).parts[:1] != ("..",)


def read_image(image_id: str, path: Path, bytes_max: int) -> ImageFile | MissingImage:
    """Read a file, and of one that is too large a byte more than allowed, for the decoder to refuse."""
    try:
        with path.open("rb") as file:
            return ImageFile(image_id, file.read(bytes_max + 1))
    except OSError as error:
        return MissingImage(image_id, f"{str(path)[:_SHOWN_MAX]}: {error.strerror}")


def not_named(roots: Collection[Path], named: Collection[Path]) -> tuple[PassedOver, ...]:
    """Return what differs between files that rows name and files that are there, but for hidden ones."""
    known = {Path(normpath(file)) for file in named}
    there = {Path(normpath(file)) for root in roots for file in _files(root)}
    missing = [file for file in known - there if not is_there(file)]
    return passed_over("named, and not there", missing) + passed_over("no row names them", there - known)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_hidden(Path(name))]
        yield from (Path(folder, name) for name in files if not is_hidden(Path(name)))
