"""What a file says of data mining and training, in one form whichever standard it was said by."""

from dataclasses import dataclass
from typing import Final

_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of a file.

    Attributes:
        where: the standard and property.
        what: in words.
        opts_out: whether it prohibits training, or mining, or lays down conditions for these; what it says of
            anything else, such as inference, is no opt-out.
    """

    where: str
    what: str
    opts_out: bool

    def sentence(self) -> str:
        """Return both, for a note."""
        return f"{self.where}: {self.what}"


def short(text: str) -> str:
    """Return a text of somebody else's on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS_MAX else f"{line[: _CHARACTERS_MAX - 1]}…"
