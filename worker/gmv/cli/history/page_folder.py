"""The folder of owners' pages: what is written there, and which pages of an earlier run go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gmv.pages.thumbnails import Thumbnail
    from gmv.statements.page_data import OwnerPage

_HEAD_BYTES: Final = 512  # of a page, which begins with what made it


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """An owner's page; `is_empty` where the period has neither an event nor a correction of theirs."""

    owner_id: str
    path: Path
    is_empty: bool


def write_owners(
    folder: Path, pages: "Mapping[str, OwnerPage]", pictures: "Mapping[str, Thumbnail]", manager: str | None
) -> list[WrittenPage]:
    """Write owners' pages.

    Args:
        folder: that is there.
        pages: by owner id.
        pictures: of training images, by image id.
        manager: link to the page of all owners; None for pages that owners get.
    """
    from gmv.statements.pages import owner_html, page_name
    from gmv.whole_file import write_whole

    written = []
    for owner_id, page in pages.items():
        path = folder / page_name(owner_id)
        write_whole(path, owner_html(page, pictures, manager).encode(errors="replace"))
        written.append(WrittenPage(owner_id, path, page.statement.total.is_empty))
    return written


def remove_others(folder: Path, keep: Collection[str]) -> int:
    """Remove owners' pages that an earlier run made with a page of all owners; no other file.

    Args:
        folder: of these pages.
        keep: names of those of this run.

    Returns:
        How many there were.
    """
    removed = 0
    for path in folder.iterdir():
        if path.name not in keep and _was_made_with_all(path):
            path.unlink()
            removed += 1
    return removed


def _was_made_with_all(path: Path) -> bool:
    from gmv.statements.pages import MADE_WITH_ALL, PAGE_NAME

    if not PAGE_NAME.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return f'content="{MADE_WITH_ALL}"'.encode() in file.read(_HEAD_BYTES)  # no owner's name has such quotes there
