"""Which training images are near copies of each other: one .npy file with the group of every row."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused
from gmv.index.digests import check_digests, check_sizes
from gmv.index.images import ArrowImages, images_of
from gmv.index.manifest import GROUPS_FILE, read_manifest
from gmv.index.port import ImagesTable

GroupOfRow = NDArray[np.int32]
"""[rows]: the lowest row of the group that a row is in, and so its own where it has no copy."""

_ROWS_AT_ONCE: Final = 100_000
_NOBODY: Final = np.empty(0, np.int64)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Undated(NamedTuple):
    """Groups of several owners of which nobody can say who registered first.

    Attributes:
        wholly: how many have no image that says when it was registered.
        partly: how many have some that say it, and some that do not.
    """

    wholly: int
    partly: int


class CopyGroups:
    """The groups of an index.

    Attributes:
        group_of: int32 [rows], the lowest row of each row's group.
        undated: groups of several owners without dates or numbers.
    """

    def __init__(self, group_of: GroupOfRow, images: ImagesTable) -> None:
        """Put the members of each group in order of registration.

        Args:
            group_of: int32 [rows].
            images: of as many rows; say when each was registered.
        """
        self.group_of = group_of
        sizes = np.bincount(group_of, minlength=1)
        grouped = np.flatnonzero(sizes[group_of] > 1)
        members: dict[int, list[tuple[bool, int, str, str, int]]] = {}
        for start in range(0, len(grouped), _ROWS_AT_ONCE):
            rows = grouped[start : start + _ROWS_AT_ONCE]
            for row, image in zip(rows.tolist(), images.images(rows), strict=True):
                members.setdefault(int(group_of[row]), []).append((*_registration(image), image.owner_id, row))
        self._members = {group: np.array([each[-1] for each in sorted(found)]) for group, found in members.items()}
        self.undated = _undated(members.values())

    def __len__(self) -> int:
        return len(self._members)

    def groups(self) -> list[NDArray[np.int64]]:
        """Return the rows of each group in order of registration, groups in order of their lowest row."""
        return [self._members[group] for group in sorted(self._members)]

    def members(self, row: int) -> NDArray[np.int64]:
        """Return all rows of a row's group, in order of registration: dates or numbers first, then those without.

        Of equal ones, and of those without, the image id decides. None for a row that has no copy.
        """
        return self._members.get(int(self.group_of[row]), _NOBODY)


def _undated(groups: Iterable[Sequence[tuple[bool, int, str, str, int]]]) -> Undated:
    wholly = partly = 0
    for group in groups:
        if len({owner_id for *_, owner_id, _ in group}) > 1:
            lacking = sum(is_undated for is_undated, *_ in group)
            wholly += lacking == len(group)
            partly += 0 < lacking < len(group)
    return Undated(wholly, partly)


def _registration(image: TrainingImage) -> tuple[bool, int, str]:
    match image.registered:
        case None:
            return True, 0, image.image_id
        case int() as number:
            return False, number, image.image_id
        case moment:
            return False, (moment - _EPOCH) // _MICROSECOND, image.image_id


def no_groups(images: ImagesTable) -> CopyGroups:
    """Return that no image has a copy: of an index that was built before there were groups, or without looking."""
    return CopyGroups(np.arange(len(images), dtype=np.int32), images)


def write_groups(path: Path, group_of: GroupOfRow) -> None:
    """Write the group of every row."""
    with path.open("wb") as file:
        np.save(file, group_of, allow_pickle=False)


def open_groups(path: Path, images: ImagesTable) -> CopyGroups:
    """Map the groups of an index.

    Raises:
        IndexRefused: the file is missing or holds something else.
    """
    try:
        group_of = np.lib.format.open_memmap(path, "r").view(np.ndarray)
    except (OSError, ValueError) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error
    rows = np.arange(len(images))
    if group_of.dtype != np.int32 or group_of.shape != rows.shape:
        raise IndexRefused(f"{path} holds {group_of.dtype} {group_of.shape}, not int32 {rows.shape}; build it again")
    if ((group_of < 0) | (group_of > rows)).any() or (group_of[group_of] != group_of).any():
        raise IndexRefused(f"{path} does not hold the lowest row of each row's group; build the index again")
    return CopyGroups(group_of, images)


def groups_of_index(index: Path) -> tuple[CopyGroups, ArrowImages]:
    """Map the groups and the images table of an index folder, and nothing else of it.

    Raises:
        IndexRefused: there is no index, or one of these files is missing or was altered.
    """
    manifest, _ = read_manifest(index)
    files = {name: entry for name, entry in manifest.files.items() if name == GROUPS_FILE}
    check_sizes(index, files)
    check_digests(index, files)
    images = images_of(index)
    return (open_groups(index / GROUPS_FILE, images) if files else no_groups(images)), images
