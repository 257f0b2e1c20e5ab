"""Files that were not read though they were there: none of them goes without being counted and named."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

NAMED_MAX = 5
"""As many are named, of any one kind."""

_SHOWN_CHARACTERS_MAX = 250
_HIDDEN = (".", "__MACOSX")


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Files that were not read, for one reason.

    Attributes:
        why: in a few words.
        files: how many; a folder that was not looked into is one.
        first: names of the first of them.
    """

    why: str
    files: int
    first: tuple[str, ...]

    def sentence(self) -> str:
        """Return all of it on one line."""
        more = ", …" if self.files > len(self.first) else ""
        return f"passed over {self.files:,} ({self.why}): {', '.join(self.first)}{more}"


def passed_over(why: str, files: Iterable[object]) -> tuple[PassedOver, ...]:
    """Return the files as one entry, or none where there are no files."""
    names = sorted(map(str, files))
    first = tuple(
        name if len(name) <= _SHOWN_CHARACTERS_MAX else f"{name[:_SHOWN_CHARACTERS_MAX]}…" for name in names[:NAMED_MAX]
    )
    return (PassedOver(why, len(names), first),) if names else ()


def is_hidden(path: PurePath) -> bool:
    """Return whether systems keep it beside a user's files, such as `._a.png`, `.cache/b.png` and `__MACOSX/`.

    Args:
        path: relative to what the user named, which may itself be hidden.
    """
    return any(part.startswith(_HIDDEN) for part in path.parts)
