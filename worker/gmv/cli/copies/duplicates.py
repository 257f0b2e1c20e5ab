"""`gmv index duplicates`: which training images are near copies of each other, and whose they are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.corpus.port import TrainingImage
    from gmv.index.measured import FoundCopies

_SHOWN_MAX: Final = 20
"""Images of a group that a table shows, or one of each owner where there are more of these; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class GroupedImage:
    """One of several near copies."""

    image_id: str
    owner_id: str
    registered: str | int | None


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Near copies, in order of registration; a moment is as ISO 8601 has it."""

    group: str
    owners: tuple[str, ...]
    images: tuple[GroupedImage, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The groups of an index, in order of their names.

    Attributes:
        index_id: of the index.
        found: how they were found; None where nobody looked for them.
        groups: those asked for.
        undated_groups: how many of several owners have no image with `registered`.
        partly_dated_groups: how many of several owners have some with it, and some without.
    """

    index_id: str
    found: "FoundCopies | None"
    groups: tuple[CopyGroup, ...]
    undated_groups: int
    partly_dated_groups: int


def duplicates(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Index folder.")],
    several_owners: Annotated[
        bool, typer.Option("--several-owners", help="Only groups whose images have more than one owner.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List training images that are near copies of each other, and whose they are, in order of registration.

    Such a group has one place among the images that an event is credited to; `valuation.copies` says who is paid.
    """
    from gmv.cli.output import render
    from gmv.index.groups import groups_of_index
    from gmv.index.manifest import read_manifest

    manifest, index_id = read_manifest(index)
    groups, images = groups_of_index(index)
    found = (_group(images.images(rows), int(rows.argmin())) for rows in groups.groups())
    chosen = tuple(each for each in found if len(each.owners) > 1 or not several_owners)
    render(Duplicates(index_id, manifest.copies, chosen, *groups.undated), json, _view)


def _group(images: "list[TrainingImage]", lowest: int) -> CopyGroup:
    return CopyGroup(
        group=images[lowest].image_id,
        owners=tuple(dict.fromkeys(image.owner_id for image in images)),
        images=tuple(GroupedImage(image.image_id, image.owner_id, _shown(image.registered)) for image in images),
    )


def _shown(registered: datetime | int | None) -> str | int | None:
    return registered.isoformat() if isinstance(registered, datetime) else registered


def _view(found: Duplicates) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table
    from gmv.index.advice import undated_copies
    from gmv.index.groups import Undated

    if found.found is None:
        yield "nobody looked for near copies when this index was built; a build of this gmv does"
        return
    if not found.groups:
        yield "no near copies"
        return
    several = sum(len(group.owners) > 1 for group in found.groups)
    images = sum(len(group.images) for group in found.groups)
    yield f"{len(found.groups):,} groups of {images:,} images, {several:,} of them of several owners"
    if (undated := undated_copies(Undated(found.undated_groups, found.partly_dated_groups))) is not None:
        yield undated
    columns = ["group", "training image", "owner", "images of theirs", "registered"]
    yield table(None, columns, _rows(found.groups), numbers=["images of theirs"])


def _rows(groups: tuple[CopyGroup, ...]) -> Iterator[tuple[object, ...]]:
    for group in groups:
        of_owner = Counter(image.owner_id for image in group.images)
        shown = _shown_first(group)
        for place, image in enumerate(shown):
            of_theirs = f"{of_owner.pop(image.owner_id):,}" if image.owner_id in of_owner else ""
            registered = "" if image.registered is None else image.registered
            yield "" if place else group.group, image.image_id, image.owner_id, of_theirs, registered
        if (more := len(group.images) - len(shown)) > 0:
            yield "", f"and {more:,} more", "", "", ""


def _shown_first(group: CopyGroup) -> list[GroupedImage]:
    """Return the first image of each owner, however many owners there are, then others: a copyist's may come first."""
    places: dict[str, int] = {}
    for place, image in enumerate(group.images):
        places.setdefault(image.owner_id, place)
    firsts = set(places.values())
    others = (image for place, image in enumerate(group.images) if place not in firsts)
    return [*(group.images[place] for place in sorted(firsts)), *islice(others, max(0, _SHOWN_MAX - len(firsts)))]
