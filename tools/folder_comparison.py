"""Two folders of results, compared file by file and byte by byte."""

import hashlib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

_EXCERPT_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """One file, in both folders.

    Attributes:
        name: path within the folders.
        bytes_before: None where it is missing there, as for all that follow.
        difference: the first place that differs, for people; None where files are equal or one is missing.
    """

    name: str
    bytes_before: int | None
    bytes_after: int | None
    sha256_before: str | None
    sha256_after: str | None
    difference: str | None = None

    @property
    def is_equal(self) -> bool:
        """Whether both folders have it, with the same bytes."""
        return self.sha256_before is not None and self.sha256_before == self.sha256_after


def compare_folders(before: Path, after: Path) -> list[ComparedFile]:
    """Compare all files that either folder has, in order of name."""
    names = sorted({str(path.relative_to(folder)) for folder in (before, after) for path in _files(folder)})
    return [_compare(name, _read(before / name), _read(after / name)) for name in names]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _compare(name: str, before: bytes | None, after: bytes | None) -> ComparedFile:
    return ComparedFile(
        name,
        None if before is None else len(before),
        None if after is None else len(after),
        None if before is None else hashlib.sha256(before).hexdigest(),
        None if after is None else hashlib.sha256(after).hexdigest(),
        None if before is None or after is None or before == after else _first_difference(before, after),
    )


def _first_difference(before: bytes, after: bytes) -> str:
    place = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, place - _EXCERPT_BYTES // 2)
    was, now = (repr(content[start : start + _EXCERPT_BYTES])[1:] for content in (before, after))
    line = before.count(b"\n", 0, place) + 1
    return f"line {line}, byte {place}: {was} became {now}"
