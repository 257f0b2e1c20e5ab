"""What producers send, and what each record is worth: stated here, so that the oracle need not read the records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from gmv.stream.records import Record
from tests.stream.world import event_record, poison_record

DEADLY = "deadly-"
"""How the names of events begin that end the process which attributes them."""

OWNERS = tuple("abcdefghij")


def credited_by(index: int, owners: Sequence[str]) -> list[str]:
    """Return whom the index of that number credits for an event of these owners: all, or all but one of several.

    So the same event comes to other totals by another index.
    """
    ordered = sorted(owners)
    left_out = index % (len(ordered) + 1) - 1
    return ordered if left_out < 0 or len(ordered) == 1 else ordered[:left_out] + ordered[left_out + 1 :]


@dataclass(frozen=True)
class Meaning:
    """What a record says.

    Attributes:
        name: the event's id, "" where the record holds no event.
        payload: what the event says; two events of one name and other payloads are in conflict.
        owners: who is credited; none is poison.
    """

    name: str = ""
    payload: int = 0
    owners: tuple[str, ...] = ()


@dataclass
class Mix:
    """How often a producer does what."""

    poison: float
    ownerless: float
    again_here: float
    again_anywhere: float
    conflict: float
    owners_max: int


@dataclass
class Producer:
    """Draws records."""

    chance: Random
    mix: Mix
    prefix: str = "e"
    sent: list[list[Meaning]] = field(default_factory=list)
    _number: int = 0

    def draw(self, partition: int) -> Meaning:
        """Return what the next record of a partition says."""
        while len(self.sent) <= partition:
            self.sent.append([])
        meaning = self._draw(partition)
        self.sent[partition].append(meaning)
        return meaning

    def _draw(self, partition: int) -> Meaning:
        chance, mix = self.chance, self.mix
        if chance.random() < mix.poison:
            return Meaning()
        if self.sent[partition] and chance.random() < mix.again_here:
            return chance.choice(self.sent[partition][-8:])
        everywhere = [meaning for sent in self.sent for meaning in sent[-8:]]
        if everywhere and chance.random() < mix.again_anywhere:
            return chance.choice(everywhere)
        named = [meaning for meaning in everywhere if meaning.name]
        if named and chance.random() < mix.conflict:
            return Meaning(chance.choice(named).name, chance.randint(1, 3), self._owners())
        self._number += 1
        return Meaning(f"{self.prefix}{self._number}", 0, self._owners())

    def _owners(self) -> tuple[str, ...]:
        if self.chance.random() < self.mix.ownerless:
            return ()
        return tuple(self.chance.sample(OWNERS, self.chance.randint(1, self.mix.owners_max)))


def record_of(meaning: Meaning, offset: int) -> Record:
    """Write a meaning down, as the decoder of the tests reads it."""
    if not meaning.name:
        return poison_record(offset)
    return event_record(offset, meaning.name, meaning.owners, meaning.payload)
