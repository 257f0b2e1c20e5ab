"""What a ledger must hold: one plain pass over the topic, as Kafka has it. Nothing of gmv is called here."""

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from tests.faults.corpus import owed_for

Place = tuple[int, int]
"""Partition and offset."""


class Logged(NamedTuple):
    """A record as it is in a partition."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def place(self) -> Place:
        return self.partition, self.offset


@dataclass
class Expected:
    """Of all records below some positions.

    Attributes:
        totals: owner -> micro-credits, without owners that were owed nothing.
        credited: event id -> the places it is in; it must be credited in one of them.
        dead: places that must be dead letters.
        repeats: number of records that say again what is credited.
        records: by place.
    """

    totals: Counter[str] = field(default_factory=Counter)
    credited: dict[str, list[Place]] = field(default_factory=dict)
    dead: set[Place] = field(default_factory=set)
    repeats: int = 0
    records: dict[Place, Logged] = field(default_factory=dict)


def expect(records: Iterable[Logged], positions: Mapping[int, int]) -> Expected:
    """Credit each event once, in the order of its partition.

    The tests send all records of one event id to one partition: which of them comes first is plain then.
    """
    found = Expected()
    said: dict[str, bytes] = {}
    for record in records:
        if record.offset >= positions[record.partition]:
            continue
        found.records[record.place] = record
        event_id = _event_id(record)
        digest = hashlib.sha256(record.value or b"").digest()
        if event_id is None or said.setdefault(event_id, digest) != digest:
            found.dead.add(record.place)
        elif event_id in found.credited:
            found.credited[event_id].append(record.place)
            found.repeats += 1
        else:
            found.credited[event_id] = [record.place]
            found.totals.update(owed_for(event_id))
    found.totals = +found.totals
    return found


class Totals:
    """What the owners are owed at any positions in one log, ready to be asked often."""

    def __init__(self, records: Iterable[Logged]) -> None:
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self._totals: dict[int, list[Counter[str]]] = defaultdict(lambda: [Counter()])
        credited: set[str] = set()
        for record in records:
            event_id = _event_id(record)
            so_far = self._totals[record.partition][-1]
            if event_id is not None and event_id not in credited:
                credited.add(event_id)
                so_far = so_far + owed_for(event_id)
            self._offsets[record.partition].append(record.offset)
            self._totals[record.partition].append(so_far)

    def at(self, positions: Mapping[int, int]) -> Counter[str]:
        """Sum over the records below the positions."""
        found: Counter[str] = Counter()
        for partition, position in positions.items():
            found.update(self._totals[partition][bisect_left(self._offsets[partition], position)])
        return found


def _event_id(record: Logged) -> str | None:
    """The id of a sound event, which is `number/picture/quality`; any other record is poison.

    It is in a header, as `gmv emit` sends events, or in the value.
    """
    for name, content in record.headers:
        if name == "ce_id":
            return _sound((content or b"").decode())
    try:
        event: Any = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    return _sound(event.get("id", "")) if isinstance(event, dict) else None


def _sound(event_id: str) -> str | None:
    return event_id if event_id[:1].isdigit() else None
