"""Dead letters sent once more to the log they came from: which of them, and at which pace.

It can be done any number of times, and end anywhere. An event has the id it had before, so the ledger credits it
once. Letters of one record are one: what a crash has repeated, and what came back as a dead letter after it was sent
again, so that a record which is refused every time is one record however often that is tried.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from gmv.errors import Reason
from gmv.ledger.port import Known
from gmv.stream.dead_letters import FoundLetter, Wanted

_KNOWN_AT_ONCE: Final = 1_000

Credited = Callable[[int, Sequence[bytes]], Mapping[bytes, Known]]
"""(partition, identities) to those that its book has credited, as `Ledger.known`."""


class HeldBack(StrEnum):
    """Why a dead letter that was asked for is not sent."""

    NO_EVENT = "no_event"
    """This gmv finds no event in it. The bytes are sent as they are, so it would only be refused again; there is no id
    that the ledger could know it by, either. Another version, which can read it, finds the id and sends it."""

    ID_CONFLICT = "id_conflict"
    """Its id was credited with other data: the ledger would refuse it again, or pay one id twice once it forgot."""

    KILLED_WORKER = "killed_worker"
    """It has ended workers, and would again, unless the fault was mended since."""

    EMPTY = "empty"
    """It has neither key nor value; there is nothing in it, and producers refuse to send it."""

    OTHER_LOG = "other_log"
    """It came from another log than the one that is sent to, or from a partition that this one lacks."""

    CREDITED = "credited"
    """The ledger has credited the event since."""


HOPELESS: Final = frozenset({HeldBack.NO_EVENT, HeldBack.ID_CONFLICT, HeldBack.KILLED_WORKER})
"""What a person may insist on; the others are sent by nobody."""


class Destination(Protocol):
    """The log that dead letters are sent to."""

    async def send(self, letter: FoundLetter) -> None:
        """Send its record; may return before it is durable."""

    async def finish(self) -> None:
        """Return once all that was sent is durable."""


class Candidate(NamedTuple):
    """The newest letter of a record. A plan keeps one per record, about 500 bytes each, and no contents."""

    place: str
    age: tuple[int, int]
    reason: str
    is_wanted: bool
    held_back: HeldBack | None
    partition: int
    identity: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be sent.

    Attributes:
        chosen: the letters to send, by the content of their record.
        held_back: number of letters that were asked for and are not sent, by why.
    """

    chosen: Mapping[bytes, Candidate]
    held_back: Counter[HeldBack]

    @property
    def by_reason(self) -> Counter[str]:
        """Number of letters to send, by why they were refused."""
        return Counter(candidate.reason for candidate in self.chosen.values())


def plan(
    letters: Iterable[FoundLetter],
    wanted: Wanted,
    topic: str,
    partitions: Iterable[int],
    insist: bool,
    credited: Credited | None,
) -> Plan:
    """Choose the letters to send.

    Args:
        letters: all there are: a letter may be superseded by a newer one of its record.
        wanted: which of the newest are meant.
        topic: of the log that is sent to.
        partitions: that it has.
        insist: whether to send also what is `HOPELESS`.
        credited: asks the ledger; None where it is not to be asked.
    """
    numbers = frozenset(partitions)
    newest: dict[bytes, Candidate] = {}
    for letter in letters:
        candidate = _candidate(letter, wanted, topic, numbers)
        if (other := newest.get(letter.content)) is None or candidate.age >= other.age:
            newest[letter.content] = candidate
    meant = {content: candidate for content, candidate in newest.items() if candidate.is_wanted}
    if credited is not None:
        meant = _looked_up(meant, credited)
    ignored: frozenset[HeldBack | None] = frozenset({None, *(HOPELESS if insist else ())})
    return Plan(
        chosen={content: each for content, each in meant.items() if each.held_back in ignored},
        held_back=Counter(
            each.held_back for each in meant.values() if each.held_back and each.held_back not in ignored
        ),
    )


def selected(letters: Iterable[FoundLetter], chosen: Mapping[bytes, Candidate]) -> Iterator[FoundLetter]:
    """Yield the chosen letters on a second pass over all of them, each once."""
    left = dict(chosen)
    for letter in letters:
        if (candidate := left.get(letter.content)) is not None and candidate.place == letter.place:
            del left[letter.content]
            yield letter


async def send(
    letters: Iterable[FoundLetter], destination: Destination, per_second: float, sent: Callable[[int], None]
) -> int:
    """Send letters, no more than so many in a second, and return their number once all are durable.

    They are read in a thread of their own: reading a topic blocks.
    """
    loop = asyncio.get_running_loop()
    left, begun, number = iter(letters), loop.time(), 0
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as executor:
        while (letter := await loop.run_in_executor(executor, next, left, None)) is not None:
            await asyncio.sleep(max(0.0, begun + number / per_second - loop.time()))
            await destination.send(letter)
            number += 1
            sent(1)
    await destination.finish()
    return number


def _candidate(letter: FoundLetter, wanted: Wanted, topic: str, partitions: frozenset[int]) -> Candidate:
    # What has ended workers is not decoded here: it may end this process, too.
    event = None if letter.reason == Reason.KILLED_WORKER else letter.event()
    held_back = None
    if letter.partition.topic != topic or letter.partition.number not in partitions:
        held_back = HeldBack.OTHER_LOG
    elif letter.record.key is None and letter.record.value is None:
        held_back = HeldBack.EMPTY
    elif letter.reason == Reason.KILLED_WORKER:
        held_back = HeldBack.KILLED_WORKER
    elif event is None:
        held_back = HeldBack.NO_EVENT
    elif letter.reason == Reason.ID_CONFLICT:
        held_back = HeldBack.ID_CONFLICT
    return Candidate(
        place=letter.place,
        age=(len(letter.replayed_from), letter.record.offset),
        reason=letter.reason,
        is_wanted=wanted.includes(letter),
        held_back=held_back,
        partition=letter.partition.number,
        identity=event.identity if event else b"",
        payload=event.payload if event else b"",
    )


def _looked_up(candidates: Mapping[bytes, Candidate], credited: Credited) -> dict[bytes, Candidate]:
    """Mark those whose events the ledger has credited since."""
    by_partition: defaultdict[int, list[bytes]] = defaultdict(list)
    for content, candidate in candidates.items():
        if candidate.identity:
            by_partition[candidate.partition].append(content)
    looked_up = dict(candidates)
    for partition, contents in by_partition.items():
        for start in range(0, len(contents), _KNOWN_AT_ONCE):
            asked = contents[start : start + _KNOWN_AT_ONCE]
            known = credited(partition, [candidates[content].identity for content in asked])
            for content in asked:
                if (place := known.get(candidates[content].identity)) is not None:
                    is_same = place.payload == candidates[content].payload
                    why = HeldBack.CREDITED if is_same else HeldBack.ID_CONFLICT
                    looked_up[content] = candidates[content]._replace(held_back=why)
    return looked_up
