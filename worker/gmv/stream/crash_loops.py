"""Records that end the worker: found by its successors, and dead-lettered.

A record can end the process that attributes it, by a fault in native code or by taking more memory than there is.
The next worker that is assigned the partition reads the same record and ends the same way, and none of them knows of
the others.
So a worker notes what it begins, in the ledger:

1. The first run of an assigned partition is noted, and no other: a crash always leads back to a first run, so nothing
   is written on the way after it.
2. A worker that finds its first run begun before attributes one record at a time, and notes each beforehand. So the
   record at which it ends is known.
3. A record at which workers have ended `crashes_max` times while they attributed it alone is dead-lettered. After
   `CONDEMNED_IN_A_ROW_MAX` of them in a row the fault is not theirs, and the worker stops.

A record is condemned for nothing but workers that ended while it alone was attributed: not for one that was killed
with other records in hand, nor for servers that were away, commits that were refused or any clock. What remains is a
healthy record during whose attribution, some 10 ms, workers are killed from outside that many times without one that
gets past it. It is in the dead letters, and can be sent once more.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import orjson

from gmv.errors import Poison, Reason, Refusal, TooManyDeadLetters
from gmv.ledger.port import Ledger
from gmv.stream.outcomes import Outcome, Poisoned, recognise
from gmv.stream.records import Partition, Record

CAREFUL_OFFSETS: Final = 3_000
"""For so long records are attributed one at a time: two runs of the largest size, since it may not have been the first
run that ended the worker."""

CONDEMNED_IN_A_ROW_MAX: Final = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """What one worker leaves for the next, by offsets of the partition.

    Attributes:
        writer: the worker that wrote it; makes notes of two workers differ.
        begun: where the first run begins.
        pending: the record that is being attributed alone.
        suspect: the last record at which a worker ended so.
        crashes: how many did, there.
        condemned: records that are not attributed any more; their dead letters may not be committed yet.
        survived: the last record after whose attribution, alone, the worker was still there.
    """

    writer: str = ""
    begun: int = -1
    pending: int | None = None
    suspect: int | None = None
    crashes: int = 0
    condemned: tuple[int, ...] = ()
    survived: int = -1

    def encode(self) -> str:
        """Return the text kept in the ledger."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def decode(cls, text: str | None) -> "Note":
        """Parse what `encode` wrote; a text that is none says nothing, and must not keep a worker from starting."""
        try:
            fields: dict[str, Any] = orjson.loads(text or "{}")
            return cls(**fields | {"condemned": tuple(fields.get("condemned", ()))})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def begun_again(self, first: int, writer: str) -> "Note":
        """Return the note of a worker that finds this one, and begins with the record at offset `first`."""
        at_pending = self.pending is not None and self.pending >= first
        same = self.pending == self.suspect
        return replace(
            self,
            writer=writer,
            begun=first,
            pending=None,
            suspect=self.pending if at_pending else self.suspect,
            crashes=(self.crashes + 1 if same else 1) if at_pending else self.crashes,
            condemned=tuple(each for each in self.condemned if each >= first - CONDEMNED_IN_A_ROW_MAX),
        )

    def after(self, offset: int) -> "Note":
        """Return the note of a worker that is still there after it has attributed this record alone."""
        cleared = replace(self, survived=max(self.survived, offset))
        return replace(cleared, suspect=None, crashes=0) if self.suspect == offset else cleared

    def is_suspicious(self, first: int) -> bool:
        """Return whether a worker that begins at `first` has reason to be careful, by the note it finds."""
        return self.begun == first or any(each is not None and each >= first for each in (self.pending, self.suspect))

    def crashes_at(self, offset: int) -> int:
        """Return how many workers ended while they attributed this record alone."""
        return self.crashes if self.suspect == offset else 0

    def condemned_before(self, offset: int) -> int:
        """Return how many records in a row before this one were condemned, with none among them that was survived."""
        return sum(self.survived < each < offset for each in self.condemned)


@dataclass(slots=True)
class _Watch:
    """One partition's note, as this worker knows it.

    Attributes:
        text: as it is in the ledger.
        note: the same, and what will be written with the next.
        careful_below: offset below which records are attributed one at a time.
        is_ours: whether nobody else has written since: a worker that took the partition over has.
    """

    text: str | None
    note: Note
    careful_below: int = -1
    is_ours: bool = field(default=True)


class CrashLoops:
    """Attributes runs, carefully where a worker has ended before. Called where the ledger is."""

    def __init__(self, ledger: Ledger, crashes_max: int) -> None:
        self._ledger = ledger
        self._crashes_max = crashes_max
        self._watches: dict[Partition, _Watch] = {}

    def forget(self) -> None:
        """Begin again with each partition: they have been assigned."""
        self._watches = {}

    def attribute(
        self,
        partition: Partition,
        records: Sequence[Record],
        attribute: Callable[[Sequence[Record]], list[Outcome]],
    ) -> list[Outcome]:
        """Return what `attribute` makes of a run that is not empty, or poison for a record that is condemned.

        Raises:
            TooManyDeadLetters: `CONDEMNED_IN_A_ROW_MAX` is passed.
            Refusal: of the ledger, or what `attribute` raises.
        """
        watch = self._watches.get(partition) or self._begin(partition, records[0].offset)
        if records[0].offset >= watch.careful_below:
            return attribute(records)
        outcomes = [outcome for record in records for outcome in self._alone(partition, watch, record, attribute)]
        self._take_note(partition, watch, replace(watch.note, pending=None))
        return recognise(outcomes, {})

    def _begin(self, partition: Partition, first: int) -> _Watch:
        text = self._ledger.note(partition.topic, partition.number)
        found = Note.decode(text)
        watch = self._watches[partition] = _Watch(text, found)
        if found.is_suspicious(first):
            watch.careful_below = first + CAREFUL_OFFSETS
            logger.warning("%s: a worker ended at %d before: records are attributed one at a time", partition, first)
        self._take_note(partition, watch, found.begun_again(first, uuid.uuid4().hex))
        return watch

    def _alone(
        self,
        partition: Partition,
        watch: _Watch,
        record: Record,
        attribute: Callable[[Sequence[Record]], list[Outcome]],
    ) -> list[Outcome]:
        offset = record.offset
        if offset not in watch.note.condemned:
            if watch.note.crashes_at(offset) < self._crashes_max:
                return self._try(partition, watch, record, attribute)
            self._condemn(partition, watch, offset)
        detail = f"workers ended {self._crashes_max} times while they attributed this record, and nothing else"
        return [Poisoned(record, Poison(Reason.KILLED_WORKER, detail))]

    def _try(
        self,
        partition: Partition,
        watch: _Watch,
        record: Record,
        attribute: Callable[[Sequence[Record]], list[Outcome]],
    ) -> list[Outcome]:
        self._take_note(partition, watch, replace(watch.note, pending=record.offset))
        try:
            outcomes = attribute([record])
        except Refusal:  # a server was away: no fault of the record
            self._take_note(partition, watch, replace(watch.note, pending=None))
            raise
        watch.note = watch.note.after(record.offset)
        return outcomes

    def _condemn(self, partition: Partition, watch: _Watch, offset: int) -> None:
        cleared = replace(watch.note, pending=None, suspect=None, crashes=0)
        if watch.note.condemned_before(offset) >= CONDEMNED_IN_A_ROW_MAX:
            self._take_note(partition, watch, cleared)  # so that the record is tried again, once the fault is fixed
            raise TooManyDeadLetters(
                f"{partition}: each of the last {CONDEMNED_IN_A_ROW_MAX + 1} records up to {offset} has ended "
                f"{self._crashes_max} workers; the run was not committed. That is no fault of the records: look at how "
                "the workers ended, at their limit of memory and at their index, fix the cause, and start again. "
                "`gmv dlq redrive --reason killed_worker --insist` sends those once more that were dead-lettered"
            )
        logger.error("%s: the record at %d has ended %d workers: a dead letter", partition, offset, self._crashes_max)
        self._take_note(partition, watch, replace(cleared, condemned=(*watch.note.condemned, offset)))

    def _take_note(self, partition: Partition, watch: _Watch, note: Note) -> None:
        """Write, unless somebody else has taken the partition over, whose commits will end this worker's."""
        watch.note = note
        text = note.encode()
        if watch.is_ours and text != watch.text:
            watch.is_ours = self._ledger.take_note(partition.topic, partition.number, watch.text, text)
            watch.text = text
