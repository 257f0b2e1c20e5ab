"""What `gmv index build` and `info` tell of near copies."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.wording import count_of

if TYPE_CHECKING:
    from gmv.index.measured import FoundCopies


def copies_lines(found: "FoundCopies | None") -> Iterator[tuple[str, str]]:
    """Yield how many near copies there are, and how well they are told from others; nothing where nobody looked."""
    if found is None:
        return
    several = f"{found.groups_of_several_owners:,} of several owners"
    yield "near copies", f"{count_of(found.groups, 'group')} of {count_of(found.images, 'image')}, {several}"
    near = f"{found.nearest_within:.1%} of {count_of(found.queries, 'image')} have their nearest within"
    level = f"{count_of(found.level, 'spacing')} of tokens"
    yield "a copy is within", f"{level}; {near}, {found.tenth_within:.1%} their tenth"
    if found.altered:
        missed = ", ".join(f"{each.missed:.1%} {each.kind}" for each in found.altered)
        yield "copies missed", f"of {found.altered[0].images:,} each: {missed}"


def copies_warning(found: "FoundCopies | None", index: Path) -> Iterator[str]:
    """Yield what a person who just built an index should look at: near copies that are of several owners."""
    if found is not None and (count := found.groups_of_several_owners):
        yield (
            f"{count:,} groups of near copies have several owners, who share what is credited for them: see "
            f"`gmv index duplicates {index} --several-owners`"
        )
