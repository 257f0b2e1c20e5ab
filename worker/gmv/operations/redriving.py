"""Dead letters sent once more to the log they came from: which of them, and at which pace.

It can be done any number of times, and end anywhere. An event has the id it had before, so the ledger credits it
once; where it knows ids within a window only, what could have expired is held back. Dead letters of one record are
one: what a crash has repeated, and what came back as a dead letter after it was sent again, so that a record which
is refused every time is one record however often that is tried.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from gmv.errors import Reason
from gmv.ledger.port import Known
from gmv.stream.dead_letters import FoundDeadLetter, Wanted

_KNOWN_AT_ONCE: Final = 1_000
_ENDS_SECONDS: Final = 1.0
"""How old the ends may be that dead letters are judged by: a partition that gets 5,000 events a second, where windows
are of millions, has gone on by that many; asking costs a broker three small requests."""

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
    """It has ended workers, and would again, unless the fault was fixed since."""

    EMPTY = "empty"
    """It has neither key nor value; there is nothing in it, and producers refuse to send it."""

    OTHER_LOG = "other_log"
    """It came from another log than the one that is sent to, or from a partition that this one lacks."""

    CREDITED = "credited"
    """The ledger has credited the event since."""

    BEYOND_WINDOW = "beyond_window"
    """Its partition has grown by more than the ledger's identity window since. If it was sent again and credited
    meanwhile, the ledger may have let that go, and would pay it once more."""


IF_INSISTED: Final = frozenset(
    {HeldBack.NO_EVENT, HeldBack.ID_CONFLICT, HeldBack.KILLED_WORKER, HeldBack.BEYOND_WINDOW}
)
"""What a person may insist on; the others are sent by nobody."""


class Reach:
    """How far from its partition's end a dead letter may be for the ledger to know its event, if it was credited.

    A record is sent to the partition it came from, so each time it was sent before, it was written after its dead
    letter's offset; now it is written at the partition's end. The ledger recognises a repeat of what was credited at
    most a window before it. So no dead letter within a window of the end is paid twice, however far behind workers
    are: the end counts, and not their position.
    """

    def __init__(
        self,
        window: int,
        ends: Callable[[], Mapping[int, int]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            window: of the ledger, in offsets.
            ends: asks the log for the offset that each partition's next record gets. Blocking.
            monotonic: seconds.
        """
        self._window = window
        self._ask = ends
        self._monotonic = monotonic
        self._ends: Mapping[int, int] = {}
        self._ask_at = float("-inf")

    def covers(self, partition: int, offset: int) -> bool:
        """Return whether a dead letter from there may be sent now, for a partition that the log has."""
        if (began := self._monotonic()) >= self._ask_at:
            self._ends = self._ask()
            answered = self._monotonic()
            # A file is counted by the gigabyte a second: no more than half of the time goes into that.
            self._ask_at = answered + max(_ENDS_SECONDS, answered - began)
        return self._ends[partition] - offset <= self._window


class Destination(Protocol):
    """The log that dead letters are sent to."""

    async def send(self, dead_letter: FoundDeadLetter) -> None:
        """Send its record; may return before it is durable."""

    async def finish(self) -> None:
        """Return once all that was sent is durable."""


class NewestDeadLetter(NamedTuple):
    """The newest dead letter of a record. A plan keeps one per record, about 500 bytes each, and no contents."""

    place: str
    age: tuple[int, int]
    reason: str
    is_wanted: bool
    held_back: HeldBack | None
    partition: int
    identity: bytes
    payload: bytes

    @property
    def offset(self) -> int:
        """Offset of the record in its partition."""
        return self.age[1]


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What would be sent.

    Attributes:
        chosen: the dead letters to send, by the content of their record.
        held_back: number of dead letters that were asked for and are not sent, by why.
    """

    chosen: Mapping[bytes, NewestDeadLetter]
    held_back: Counter[HeldBack]

    @property
    def by_reason(self) -> Counter[str]:
        """Number of dead letters to send, by why they were refused."""
        return Counter(candidate.reason for candidate in self.chosen.values())


def plan(
    dead_letters: Iterable[FoundDeadLetter],
    wanted: Wanted,
    topic: str,
    partitions: Iterable[int],
    insist: bool,
    credited: Credited | None,
    reach: Reach | None,
) -> RedrivePlan:
    """Choose the dead letters to send.

    Args:
        dead_letters: all there are: a dead letter may be superseded by a newer one of its record.
        wanted: which of the newest are meant.
        topic: of the log that is sent to.
        partitions: that it has.
        insist: whether to send also what is `IF_INSISTED`.
        credited: asks the ledger; None where it is not to be asked.
        reach: of the ledger; None where it knows for good what it credited.
    """
    numbers = frozenset(partitions)
    newest: dict[bytes, NewestDeadLetter] = {}
    for dead_letter in dead_letters:
        candidate = _candidate(dead_letter, wanted, topic, numbers)
        if (other := newest.get(dead_letter.content)) is None or candidate.age >= other.age:
            newest[dead_letter.content] = candidate
    meant = {content: candidate for content, candidate in newest.items() if candidate.is_wanted}
    if reach is not None:
        meant = {content: _reached(candidate, reach) for content, candidate in meant.items()}
    if credited is not None:
        meant = _looked_up(meant, credited)
    ignored: frozenset[HeldBack | None] = frozenset({None, *(IF_INSISTED if insist else ())})
    return RedrivePlan(
        chosen={content: each for content, each in meant.items() if each.held_back in ignored},
        held_back=Counter(
            each.held_back for each in meant.values() if each.held_back and each.held_back not in ignored
        ),
    )


def selected(
    dead_letters: Iterable[FoundDeadLetter], chosen: Mapping[bytes, NewestDeadLetter]
) -> Iterator[FoundDeadLetter]:
    """Yield the chosen dead letters on a second pass over all of them, each once."""
    left = dict(chosen)
    for dead_letter in dead_letters:
        if (candidate := left.get(dead_letter.content)) is not None and candidate.place == dead_letter.place:
            del left[dead_letter.content]
            yield dead_letter


class Sending(NamedTuple):
    """What became of the chosen dead letters: how many were sent, and how many were out of reach before their turn."""

    sent: int
    beyond_window: int


async def send(
    dead_letters: Iterable[FoundDeadLetter],
    destination: Destination,
    per_second: float,
    sent: Callable[[int], None],
    reach: Reach | None,
) -> Sending:
    """Send dead letters, no more than so many in a second, and return once all are durable.

    They are read in a thread of their own: reading a topic blocks. Each is judged by the reach once more when it is
    due: at 100 a second a million takes three hours, in which a partition may grow by a window.
    """
    loop = asyncio.get_running_loop()
    left, begun, number, missed = iter(dead_letters), loop.time(), 0, 0
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as executor:
        while (dead_letter := await loop.run_in_executor(executor, next, left, None)) is not None:
            await asyncio.sleep(max(0.0, begun + number / per_second - loop.time()))
            place = dead_letter.partition.number, dead_letter.record.offset
            if reach is not None and not await loop.run_in_executor(executor, reach.covers, *place):
                missed += 1
                continue
            await destination.send(dead_letter)
            number += 1
            sent(1)
    await destination.finish()
    return Sending(number, missed)


def _candidate(
    dead_letter: FoundDeadLetter, wanted: Wanted, topic: str, partitions: frozenset[int]
) -> NewestDeadLetter:
    # What has ended workers is not decoded here: it may end this process, too.
    event = None if dead_letter.reason == Reason.KILLED_WORKER else dead_letter.event()
    held_back = None
    if dead_letter.partition.topic != topic or dead_letter.partition.number not in partitions:
        held_back = HeldBack.OTHER_LOG
    elif dead_letter.record.key is None and dead_letter.record.value is None:
        held_back = HeldBack.EMPTY
    elif dead_letter.reason == Reason.KILLED_WORKER:
        held_back = HeldBack.KILLED_WORKER
    elif event is None:
        held_back = HeldBack.NO_EVENT
    elif dead_letter.reason == Reason.ID_CONFLICT:
        held_back = HeldBack.ID_CONFLICT
    return NewestDeadLetter(
        place=dead_letter.place,
        age=(len(dead_letter.replayed_from), dead_letter.record.offset),
        reason=dead_letter.reason,
        is_wanted=wanted.includes(dead_letter),
        held_back=held_back,
        partition=dead_letter.partition.number,
        identity=event.identity if event else b"",
        payload=event.payload if event else b"",
    )


def _reached(candidate: NewestDeadLetter, reach: Reach) -> NewestDeadLetter:
    """Mark one that nothing else holds back and that the ledger might have let go."""
    if candidate.held_back is not None or reach.covers(candidate.partition, candidate.offset):
        return candidate
    return candidate._replace(held_back=HeldBack.BEYOND_WINDOW)


def _looked_up(candidates: Mapping[bytes, NewestDeadLetter], credited: Credited) -> dict[bytes, NewestDeadLetter]:
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
