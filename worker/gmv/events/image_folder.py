"""Which files of a folder are sent as images, and what of it is not: all of it is counted and named."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gmv.errors import EventsRefused
from gmv.imaging.formats import FIRST_BYTES, image_format
from gmv.passed_over import PassedOver, is_hidden, passed_over

IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""Files that are sent whatever they hold: a worker says what is wrong with them, in a dead letter."""

OTHER_JPEG_SUFFIXES: Final = frozenset({".jfif", ".jpe", ".jif", ".jfi", ".pjpeg", ".pjp"})
"""Rarer names of JPEG, and not of JPEG alone: those are sent that begin as an image."""

_SUFFIXES_TOLD_APART = 5


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder, looked through.

    Attributes:
        path: as the user named it.
        images: files to be sent, in order of name.
        passed_over: what else is in it, by reason.
    """

    path: Path
    images: tuple[Path, ...]
    passed_over: tuple[PassedOver, ...]


def look_through(folder: Path) -> ImageFolder:
    """Find the images of a folder and of the folders in it.

    Links to files are followed, and links to folders are not: they may lead back, and to files that are here already.
    Only files with one of `OTHER_JPEG_SUFFIXES` are opened.

    Raises:
        EventsRefused: there is no image in it.
    """
    images: list[Path] = []
    others: dict[str, list[Path]] = defaultdict(list)
    for path, why_not in _files(folder):
        if why_not is None:
            images.append(path)
        else:
            others[why_not].append(path)
    left = tuple(_by_reason(others))
    if not images:
        told = "".join(f"; {entry.sentence()}" for entry in left)
        raise EventsRefused(f"{folder} has no image in it; gmv sends {', '.join(sorted(IMAGE_SUFFIXES))}{told}")
    return ImageFolder(folder, tuple(sorted(images)), left)


def first_bytes(path: Path) -> bytes:
    """Read the bytes that tell a file's format.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return file.read(FIRST_BYTES)


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each file, and each folder that is not looked into, with the reason why it is not sent."""
    unreadable: list[Path] = []

    def on_error(error: OSError) -> None:
        unreadable.append(Path(os.fsdecode(error.filename)))

    for parent, folders, files in os.walk(folder, onerror=on_error):
        for name in list(folders):
            path = Path(parent, name)
            if (why_not := _why_folder_is_not_entered(path)) is not None:
                folders.remove(name)
                yield path, why_not
        for name in files:
            path = Path(parent, name)
            yield path, _why_file_is_not_sent(path)
    yield from ((path, "folders that cannot be read") for path in unreadable)


def _why_folder_is_not_entered(path: Path) -> str | None:
    if is_hidden(Path(path.name)):
        return "hidden"
    return "links to folders" if path.is_symlink() else None


def _why_file_is_not_sent(path: Path) -> str | None:
    if is_hidden(Path(path.name)):
        return "hidden"
    suffix = path.suffix.lower()
    if not path.is_file():
        return "links that lead nowhere" if path.is_symlink() and not path.exists() else "no regular files"
    if suffix in IMAGE_SUFFIXES:
        return None
    if suffix in OTHER_JPEG_SUFFIXES:
        try:
            return None if image_format(first_bytes(path)) else f"{suffix}, and no image"
        except OSError:
            return f"{suffix}, and cannot be read"
    return suffix or "no ending"


def _by_reason(others: dict[str, list[Path]]) -> Iterator[PassedOver]:
    """Yield what is left by reason; of endings, which may be thousands, the most frequent are told apart."""
    endings = Counter({why: len(paths) for why, paths in sorted(others.items()) if why.startswith(".")})
    told_apart = {why for why, _ in endings.most_common(_SUFFIXES_TOLD_APART)}
    rest = [path for why in endings.keys() - told_apart for path in others[why]]
    for why in sorted(others.keys() - (endings.keys() - told_apart)):
        yield from passed_over(why, others[why])
    yield from passed_over("other endings", rest)
