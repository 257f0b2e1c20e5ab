"""A file of corrections: one per line, in the order in which they are applied; it may grow, and is never edited.

{"id": "case-42", "from_owner": "ada", "to_owner": "ben", "micros": 250000, "reason": "mistaken ownership",
 "event": {"source": "/generator", "id": "e1"}, "partition": 3}
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gmv.errors import CorrectionsRefused
from gmv.events.event_time import unix_milliseconds
from gmv.first_bytes import START_BYTES, complaint_about
from gmv.first_error import first_error
from gmv.ledger.fields import CORRECTIONS_PREFIX
from gmv.ledger.port import MICROS_MAX
from gmv.printable import encodable
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import EventName

Text = Annotated[str, Field(min_length=1, max_length=1_024)]
Owner = Annotated[str, Field(min_length=1)]


class WireEventName(BaseModel):
    """The event that was credited wrongly: CloudEvents source and id."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    source: Text
    id: Text


class WireCorrection(BaseModel):
    """Micro-credits taken from one owner, and given to another or to nobody."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: Text = Field(description="names this correction for good; applied once, whichever file it is in")
    from_owner: Owner = Field(description="whose micro-credits are taken")
    to_owner: Owner | None = Field(None, description="who is given them; nobody if left out: they are withdrawn")
    micros: Annotated[int, Field(gt=0, le=MICROS_MAX)] = Field(description="micro-credits; 1,000,000 are one credit")
    reason: Text = Field(description="for those who audit the ledger")
    event: WireEventName | None = Field(None, description="what was credited wrongly, if it is one event")
    partition: Annotated[int, Field(ge=0)] = Field(
        0, description="in which that event was credited, as its receipt says; matters to ledgers of several books"
    )
    time: str | None = Field(None, description="when it was made (RFC 3339); says in which statement it is, if told")


@dataclass(frozen=True, slots=True)
class CorrectionFile:
    """All of a file, checked.

    Attributes:
        path: of the file.
        topic: the name of its log in the ledger.
        topic_id: identity of the log: a digest of its first correction, so that the file may grow.
        corrections: in order; each id once.
    """

    path: Path
    topic: str
    topic_id: str
    corrections: Sequence[Correction]


def read_corrections(path: Path) -> CorrectionFile:
    """Read and check a file.

    Raises:
        CorrectionsRefused: it cannot be read, is empty, or one of its lines is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorrectionsRefused(f"{path}: {error.strerror}; give a file of corrections") from error
    if complaint := complaint_about(content[:START_BYTES], "correction"):
        raise CorrectionsRefused(f"{path} {complaint}")
    lines = content.splitlines()
    corrections = [_parse(line, path, offset) for offset, line in enumerate(lines) if line.strip()]
    if not corrections:
        raise CorrectionsRefused(f"{path} is empty; it should hold one correction per line")
    numbers: dict[str, int] = {}
    for correction in corrections:
        number = correction.offset + 1
        if (earlier := numbers.setdefault(correction.id, number)) != number:
            raise CorrectionsRefused(f"{path}:{number} has the id of line {earlier}; give each correction its own")
    first = hashlib.blake2b(corrections[0].identity + corrections[0].payload, digest_size=16).hexdigest()
    return CorrectionFile(path, CORRECTIONS_PREFIX + encodable(path.name), f"first-correction:{first}", corrections)


def _parse(line: bytes, path: Path, offset: int) -> Correction:
    where = f"{path}:{offset + 1}"
    try:
        wire = WireCorrection.model_validate(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise CorrectionsRefused(f"{where} is not JSON: {error}") from None
    except ValidationError as error:
        raise CorrectionsRefused(f"{where}: {first_error(error, 'the line')}") from None
    if wire.from_owner == wire.to_owner:
        raise CorrectionsRefused(f"{where} takes from {wire.from_owner!r} and gives to the same; leave it out")
    if wire.time is not None and unix_milliseconds(wire.time) is None:
        raise CorrectionsRefused(f"{where}: time {wire.time!r} is none; 2026-10-31T14:30:00Z is one")
    event = None if wire.event is None else EventName(source=wire.event.source, id=wire.event.id)
    return Correction(
        offset=offset,
        id=wire.id,
        from_owner=wire.from_owner,
        to_owner=wire.to_owner,
        micros=wire.micros,
        reason=wire.reason,
        event=event,
        partition=wire.partition,
        time=wire.time,
    )
