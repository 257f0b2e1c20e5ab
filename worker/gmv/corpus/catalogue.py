"""Ids, owners and weights of a corpus, checked before any image is looked at."""

import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

from gmv.corpus.port import TrainingImage
from gmv.errors import CorpusRefused

NAME_CHARACTERS_MAX = 256


class Row(NamedTuple):
    """What a corpus says of an image, unchecked, and where it says so."""

    where: str
    image_id: Any
    owner_id: Any
    weight: Any


def checked_catalogue(rows: Iterable[Row], corpus: str) -> list[TrainingImage]:
    """Check all rows and return them in the order given.

    Args:
        rows: of the corpus.
        corpus: what to call it in a refusal.

    Raises:
        CorpusRefused: there is no row; an id is missing, unfit or there twice; a weight is not in [0, 1].
    """
    catalogue: list[TrainingImage] = []
    seen: dict[str, str] = {}
    for row in rows:
        image_id = _name(row.where, "image_id", row.image_id)
        owner_id = _name(row.where, "owner_id", row.owner_id)
        if image_id in seen:
            raise CorpusRefused(
                f"{row.where}: image_id {image_id!r} is that of {seen[image_id]}, too; give each image its own"
            )
        seen[image_id] = row.where
        catalogue.append(TrainingImage(image_id, owner_id, _weight(row)))
    if not catalogue:
        raise CorpusRefused(f"{corpus} holds no image; an index needs at least one")
    return catalogue


def _name(where: str, column: str, value: Any) -> str:
    """Ids become keys of a ledger and labels in reports; integers are taken as their digits."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None or text == "":
        raise CorpusRefused(f"{where}: {column} is missing; every training image needs one")
    if not isinstance(text, str):
        raise CorpusRefused(f"{where}: {column} is {text!r}; it should be text or an integer")
    unfit = len(text) > NAME_CHARACTERS_MAX or text != text.strip()
    if unfit or any(unicodedata.category(character)[0] == "C" for character in text):
        raise CorpusRefused(
            f"{where}: {column} {text[:NAME_CHARACTERS_MAX]!r} should have at most {NAME_CHARACTERS_MAX} characters, "
            "all of them visible, and no blanks around"
        )
    return text


def _weight(row: Row) -> float:
    try:
        weight = 1.0 if row.weight is None or row.weight == "" else float(row.weight)
    except (TypeError, ValueError):
        raise CorpusRefused(f"{row.where}: weight {row.weight!r} is not a number; it should be in [0, 1]") from None
    if not 0.0 <= weight <= 1.0:
        raise CorpusRefused(f"{row.where}: weight {weight} should be in [0, 1]")
    return weight
