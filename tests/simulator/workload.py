"""What producers send, and what each record is worth: stated here, so that the oracle need not read the records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from gmv.stream.records import Record
from tests.stream.world import event_record, poison_record

DEADLY = "deadly-"
"""How the names of events begin that end the process which attributes them."""

OWNERS = tuple("abcdefghij")
UNLIKE_EVERY = 4


def credited_by(index: int, owners: Sequence[str], copies: int) -> tuple[Sequence[str], int]:
    """Return whom the index of that number credits for an event of these owners: all, or all but one of several.

    So the same event comes to other totals by another index. With them goes how many of the first have near copies of
    one image; one alone has none.
    """
    left_out = index % (len(owners) + 1) - 1
    if left_out < 0 or len(owners) == 1:
        return owners, copies
    alike = copies - (left_out < copies)
    return [*owners[:left_out], *owners[left_out + 1 :]], alike if alike > 1 else 0


@dataclass(frozen=True)
class Meaning:
    """What a record says.

    Attributes:
        name: the event's id, "" where the record holds no event.
        payload: what the event says; two events of one name and other payloads are in conflict.
        owners: who is credited; none is poison.
        is_unlike: whether it is evidence for none of them, and the account is credited.
        copies: of the owners, how many of the first have near copies of one image, and so one share together.
    """

    name: str = ""
    payload: int = 0
    owners: tuple[str, ...] = ()
    is_unlike: bool = False
    copies: int = 0


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
        owners, is_unlike = self._owners(), self._number % UNLIKE_EVERY == 0
        return Meaning(f"{self.prefix}{self._number}", 0, owners, is_unlike, self._copies(owners))

    def _copies(self, owners: tuple[str, ...]) -> int:
        """Nothing is drawn for it, so that a seed plays what it did. A share is halved and quartered exactly."""
        return max((count for count in (2, 4) if count <= len(owners) and self._number % count == 0), default=0)

    def _owners(self) -> tuple[str, ...]:
        if self.chance.random() < self.mix.ownerless:
            return ()
        return tuple(self.chance.sample(OWNERS, self.chance.randint(1, self.mix.owners_max)))


def record_of(meaning: Meaning, offset: int) -> Record:
    """Write a meaning down, as the decoder of the tests reads it."""
    if not meaning.name:
        return poison_record(offset)
    return event_record(offset, meaning.name, meaning.owners, meaning.payload, meaning.is_unlike, meaning.copies)
