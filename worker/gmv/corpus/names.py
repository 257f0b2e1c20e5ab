"""Names of images and owners as a corpus gives them: what is fit for a ledger's keys, and which look alike."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from gmv.errors import CorpusRefused
from gmv.valuation.evidence import UNATTRIBUTED

NAME_CHARACTERS_MAX = 256

_JOINERS = "\u200c\u200d"  # between letters they are part of a name's spelling, in Persian, Malayalam and others


def checked_name(where: str, column: str, value: Any) -> str:
    """Return a name as text; integers are taken as their digits, and bytes as UTF-8.

    Args:
        where: the row, for a refusal.
        column: the row's column.
        value: what is there.

    Raises:
        CorpusRefused: it is missing, no text, too long, or has characters that nobody sees.
    """
    text = as_text(value)
    if text is None or text == "":
        raise CorpusRefused(f"{where}: {column} is missing; every training image needs one")
    if not isinstance(text, str):
        raise CorpusRefused(f"{where}: {column} is {text!r}; it should be text or an integer")
    if len(text) > NAME_CHARACTERS_MAX or text != text.strip() or not _is_visible(text):
        raise CorpusRefused(
            f"{where}: {column} {text[:NAME_CHARACTERS_MAX]!r} should have at most {NAME_CHARACTERS_MAX} characters, "
            "all of them visible, and no blanks around"
        )
    return text


def is_account(owner_id: str) -> bool:
    """Return whether a reader would take an owner's name for the account of events that are evidence for nobody."""
    return _as_read(owner_id) == UNATTRIBUTED


def names_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of names that a reader would take for one: they differ in Unicode form, case, blanks or joiners.

    Each of them is a name of its own in the ledger.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        groups[_as_read(name)].add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def as_text(value: Any) -> Any:
    """Return what is a name in another form as text, and anything else as it is."""
    if isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def _is_visible(text: str) -> bool:
    return not any(
        unicodedata.category(character)[0] == "C" and not _joins_letters(text, place)
        for place, character in enumerate(text)
    )


def _joins_letters(text: str, place: int) -> bool:
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return (
        text[place] in _JOINERS
        and len(around) == 2
        and all(unicodedata.category(character)[0] in "LM" for character in around)
    )


def _as_read(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(rf"[\s{_JOINERS}]+", "", unicodedata.normalize("NFKC", plain))
