"""Ids, owners and weights of a corpus, checked before any image is looked at."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gmv.corpus.names import checked_name, is_account, names_alike
from gmv.corpus.port import Catalogue, TrainingImage
from gmv.corpus.reading import Reading
from gmv.corpus.registered import Registration
from gmv.corpus.tables import Tables
from gmv.errors import CorpusRefused
from gmv.passed_over import PassedOver
from gmv.valuation.evidence import UNATTRIBUTED


class Row(NamedTuple):
    """What a corpus says of an image, unchecked, and where it says so."""

    where: str
    image_id: Any
    owner_id: Any
    weight: Any
    registered: Any = None


def checked_catalogue(rows: Iterable[Row], tables: Tables, passed_over: tuple[PassedOver, ...] = ()) -> Catalogue:
    """Check all rows and return their images in the order given.

    Args:
        rows: of the corpus.
        tables: that they are from.
        passed_over: files, beside what the tables passed over.

    Raises:
        CorpusRefused: there is no row; an id is missing, unfit or there twice, or an owner's reads like an account's; a
            weight is not in [0, 1]; `registered` is no date and no number, or dates are mixed with numbers.
    """
    images: list[TrainingImage] = []
    owners: set[str] = set()
    registration = Registration()
    seen: dict[str, str] = {}
    for row in rows:
        image_id = checked_name(row.where, "image_id", row.image_id)
        owner_id = checked_name(row.where, "owner_id", row.owner_id)
        if image_id in seen:
            raise CorpusRefused(
                f"{row.where}: image_id {image_id!r} is that of {seen[image_id]}, too; give each image its own"
            )
        if owner_id not in owners and is_account(owner_id):
            raise CorpusRefused(
                f"{row.where}: owner_id {owner_id!r} reads like the account `{UNATTRIBUTED}`, which is credited with "
                "events that are evidence for nobody; give the owner another name"
            )
        owners.add(owner_id)
        seen[image_id] = row.where
        images.append(TrainingImage(image_id, owner_id, _weight(row), registration.read(row.where, row.registered)))
    if not images:
        raise CorpusRefused(f"{tables.name} holds no image; an index needs at least one")
    reading = Reading(
        tables=tuple(str(table.path) for table in tables.files),
        rows=len(images),
        splits=tables.splits,
        passed_over=tables.passed_over + passed_over,
        owners_alike=tuple(names_alike(owners)),
    )
    return Catalogue(images, reading)


def _weight(row: Row) -> float:
    try:
        weight = 1.0 if row.weight is None or row.weight == "" else float(row.weight)
    except (TypeError, ValueError):
        raise CorpusRefused(f"{row.where}: weight {row.weight!r} is not a number; it should be in [0, 1]") from None
    if not 0.0 <= weight <= 1.0:
        raise CorpusRefused(f"{row.where}: weight {weight} should be in [0, 1]")
    return weight
