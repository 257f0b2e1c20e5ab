"""The owners file: what owners have said since the index was built, one statement per line.

    {"owner_id": "ada", "opted_out": true}
    {"image_id": "image-7", "opted_out": true}
    {"image_id": "image-8", "owner_id": "ben", "note": "bought in June"}

A name that the index does not have stops gmv: a misspelt one would pay somebody who opted out.
"""

import hashlib
from pathlib import Path
from typing import Final, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gmv.corpus.names import is_account
from gmv.errors import OwnersRefused
from gmv.first_error import first_error
from gmv.index.port import ImagesTable
from gmv.settings import Method, OwnersSettings, Settings
from gmv.valuation.evidence import UNATTRIBUTED
from gmv.valuation.owners import Ownership

T = TypeVar("T")

_NAMED_MAX: Final = 5


class OwnersLine(BaseModel):
    """One line: an owner opts out, an image is opted out, or an image is somebody's."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    image_id: str | None = Field(None, min_length=1)
    owner_id: str | None = Field(None, min_length=1)
    opted_out: Literal[True] | None = None
    note: str | None = Field(None, description="for people")


def read_ownership(settings: OwnersSettings, images: ImagesTable) -> Ownership:
    """Read the owners file and compare it with the index; without a file, nothing has changed.

    Raises:
        OwnersRefused: it cannot be read, a line is wrong or says what another line says, or names are unknown.
    """
    said = _read(settings)
    if settings.file is not None:
        _refuse_unknown(settings.file, said, images)
    return said


def listed_owners(settings: Settings) -> set[str] | None:
    """Return all owners of the index and of the owners file; None where neither is named.

    Raises:
        IndexRefused: the index is missing or altered.
        OwnersRefused: the owners file cannot be read or a line is wrong or, with an index, names are unknown.
    """
    if settings.index is None and settings.owners.file is None:
        return None
    owners: set[str] = set()
    if settings.index is None:
        said = _read(settings.owners)
    else:
        from gmv.index.images import images_of  # of the extra `worker`, which who tends a ledger may be without

        images = images_of(settings.index)
        said = read_ownership(settings.owners, images)
        owners |= images.owners()
    return owners | set(said.owners.values()) | said.opted_out_owners


def settings_digest(valuation: Method, ownership: Ownership) -> str:
    """Return 16 hex digits over all that decides a credit beside the index: it is in every receipt."""
    if not ownership.digest:
        return valuation.digest
    # "filled": where images are left out, the next nearest take their places, which they once did not.
    parts = [valuation.digest, ownership.digest, "filled" if ownership.is_left_out else False]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]


def _read(settings: OwnersSettings) -> Ownership:
    if settings.file is None:
        return Ownership()
    try:
        content = settings.file.read_bytes()
    except OSError as error:
        raise OwnersRefused(f"{settings.file}: {error.strerror}; give the owners file") from error
    return _ownership(settings, content)


def _ownership(settings: OwnersSettings, content: bytes) -> Ownership:
    owners_out: set[str] = set()
    images_out: set[str] = set()
    owners: dict[str, str] = {}
    lines: dict[tuple[str, str], int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{settings.file}:{number}"
        statement = _parse(line, where)
        if statement.owner_id is not None and is_account(statement.owner_id):
            raise OwnersRefused(
                f"{where}: {statement.owner_id!r} reads like the account `{UNATTRIBUTED}`, which is credited with "
                "events that are evidence for nobody; name an owner"
            )
        match statement.image_id, statement.owner_id, statement.opted_out:
            case None, str(owner_id), True:
                owners_out.add(owner_id)
                about = ("owner", owner_id)
            case str(image_id), None, True:
                images_out.add(image_id)
                about = ("image", image_id)
            case str(image_id), str(owner_id), None:
                owners[image_id] = owner_id
                about = ("image", image_id)
            case _:
                raise OwnersRefused(
                    f"{where}: a line has owner_id and opted_out, image_id and opted_out, or image_id and owner_id"
                )
        if about in lines:
            raise OwnersRefused(f"{where} and line {lines[about]} are about the same {about[0]} {about[1]!r}; keep one")
        lines[about] = number
    digest = hashlib.sha256(content).hexdigest()
    left_out = settings.opted_out == "left_out"
    return Ownership(frozenset(owners_out), frozenset(images_out), owners, left_out, digest)


def _parse(line: bytes, where: str) -> OwnersLine:
    try:
        return OwnersLine.model_validate(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise OwnersRefused(f"{where} is not JSON: {error}") from None
    except ValidationError as error:
        raise OwnersRefused(f"{where}: {first_error(error, 'the line')}") from None


def _refuse_unknown(path: Path, ownership: Ownership, images: ImagesTable) -> None:
    named = ownership.opted_out_images | ownership.owners.keys()
    unknown_images = named - images.known_images(named)
    owners = ownership.opted_out_owners - set(ownership.owners.values())
    unknown_owners = owners - images.known_owners(owners)
    for kind, unknown in (("images", unknown_images), ("owners", unknown_owners)):
        if unknown:
            more = f" and {len(unknown) - _NAMED_MAX} more" if len(unknown) > _NAMED_MAX else ""
            raise OwnersRefused(
                f"{path} is about {kind} that the index lacks: {', '.join(sorted(unknown)[:_NAMED_MAX])}{more}. "
                "Correct the names, or remove the lines if the index was built again without them"
            )
