"""How numbers of things, and names that may be long, are written for people."""

from typing import Final

NAME_CHARACTERS_MAX: Final = 48  # of a name in a table; names of models on Hugging Face have some 40
_BEGIN: Final = 30  # characters of it that are kept; of its end, where versions are, there is the rest


def count_of(number: float, noun: str) -> str:
    """Return "1 event", "1,000 events" or "0.64 spacings": thousands separated, and an s for any number but one.

    Args:
        number: of them.
        noun: for one of them; its last word is the one that takes an s.
    """
    digits = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{digits} {noun}{'' if number == 1 else 's'}"


def shortened(name: str) -> str:
    """Return a name of at most 48 characters: of a longer one begin and end, with an ellipsis in between."""
    if len(name) <= NAME_CHARACTERS_MAX:
        return name
    return f"{name[:_BEGIN]}…{name[_BEGIN + 1 - NAME_CHARACTERS_MAX :]}"
