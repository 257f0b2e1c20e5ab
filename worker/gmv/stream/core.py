"""The worker core: the one loop body that file replay and Kafka share.

A run is credited in these steps, and nothing between them may be left out or reordered:

1. records below the position are dropped: they are in the totals already; a run may hold none at all, and pass over
   what is not for us (aborted, or marks of transactions), or else retention would overtake the position;
2. each record is decoded, known events are set aside, and the rest are attributed;
3. receipts and dead letters are published, and acknowledged;
4. one atomic commit moves totals, event identities and position together, or changes nothing;
5. the position held here advances to the one committed.

A crash after 3 and before 4 leaves receipts of a batch that never was (orphans; the batch id shows it) and
repeats dead letters (same topic, partition and offset). A crash after 4 repeats nothing: the position is in the ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeGuard, TypeVar

from typing_extensions import override

from gmv.errors import CreditOutOfRange, LedgerMissing, Poison, PositionOutsideLog
from gmv.events.model import GeneratedImage
from gmv.ledger.fence import moved
from gmv.ledger.port import (
    AlreadyCommitted,
    Committed,
    Duplicate,
    Fenced,
    Known,
    Ledger,
    Missing,
    OutOfRange,
    Rewound,
)
from gmv.ledger.position import Position
from gmv.stream.continuity import complaint_about_bounds
from gmv.stream.crash_loops import CrashLoops
from gmv.stream.dead_letter_limits import DeadLetterLimits
from gmv.stream.outcomes import (
    Credited,
    Outcome,
    Poisoned,
    Proposal,
    Stamp,
    pieces,
    propose,
    recognise,
    repeated,
)
from gmv.stream.ports import Creditor, Decoder, Log, Observer, Outbox, RunAnswer, RunSummary, Valuer
from gmv.stream.records import Partition, Record, Run
from gmv.stream.stamped import Valuers

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a core is made of."""

    decoder: Decoder
    valuers: Valuers
    ledger: Ledger
    outbox: Outbox
    observer: Observer
    limits: Callable[[], DeadLetterLimits]
    """Makes the limits of one partition."""
    crashes_per_record_max: int


class Core(Creditor):
    """Credits runs, of several partitions side by side: one is published while another is attributed.

    Calls that block run in `executor`, which has one thread: a ledger is not shared by threads. They have the context
    of their run, by which those who watch tell one run from another.
    """

    def __init__(self, parts: Parts, executor: Executor) -> None:
        self._parts = parts
        self._executor = executor
        self._positions: dict[Partition, Position] = {}
        self._limits: dict[Partition, DeadLetterLimits] = {}
        self._crash_loops = CrashLoops(parts.ledger, parts.crashes_per_record_max)

    @override
    def next_offset(self, partition: Partition) -> int:
        return self._positions[partition].next_offset

    @override
    async def unregistered(self, partitions: Collection[Partition]) -> set[Partition]:
        topics = {partition.topic for partition in partitions}
        numbers = {topic: [each.number for each in partitions if each.topic == topic] for topic in topics}
        return {
            Partition(topic, number)
            for topic in topics
            for number in await self._blocking(self._parts.ledger.unregistered, topic, numbers[topic])
        }

    @override
    async def assign(self, partitions: Collection[Partition], log: Log) -> None:
        positions = await self._checked_positions(partitions, log) if partitions else {}
        self._positions = positions
        self._limits = {partition: self._parts.limits() for partition in positions}
        self._crash_loops.forget()
        self._parts.observer.positions_assigned(positions)

    @override
    async def check(self, partitions: Collection[Partition]) -> dict[Partition, Fenced | Rewound]:
        found = await self._blocking(self._read_positions, partitions)
        answers = {
            each: moved(found[each], self._positions[each])
            for each in partitions
            if found[each] != self._positions[each]
        }
        for partition, answer in answers.items():
            self._parts.observer.commit_refused(partition, answer)
            if isinstance(answer, Rewound):
                self._positions[partition] = answer.found
        return answers

    @override
    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        start = self.next_offset(run.partition)
        records = [record for record in run.records if record.offset >= start]
        by = self._parts.valuers.current()
        outcomes = await self._blocking(self._attribute, run.partition, records, by.valuer) if records else []
        if confirmed is not None:
            await confirmed
        if run.next_offset <= start:
            return Committed()
        *firsts, last = list(pieces(outcomes)) or [()]
        known: dict[bytes, Known] = {}
        for piece in firsts:
            answer = await self._commit(run.partition, piece, piece[-1].record.offset + 1, by.stamp, known)
            if not isinstance(answer, Committed):
                return answer
        return await self._commit(run.partition, last, run.next_offset, by.stamp, known)

    def _attribute(self, partition: Partition, records: Sequence[Record], valuer: Valuer) -> list[Outcome]:
        """Step 2; one record at a time where a worker has ended before."""
        return self._crash_loops.attribute(partition, records, partial(self._attribute_together, partition, valuer))

    def _attribute_together(self, partition: Partition, valuer: Valuer, records: Sequence[Record]) -> list[Outcome]:
        """Known events are not attributed: a re-sent event costs no computing."""
        decoded = [(record, self._decode(record)) for record in records]
        identities = [event.identity for _, event in decoded if isinstance(event, GeneratedImage)]
        known = self._parts.ledger.known(partition.number, identities) if identities else {}
        fresh = [event for _, event in decoded if _is_fresh(event, known)]
        attributions = iter(valuer.attribute(fresh))
        outcomes: list[Outcome] = []
        for record, event in decoded:
            if isinstance(event, Poison):
                outcomes.append(Poisoned(record, event))
            elif event.identity in known:
                outcomes.append(repeated(record, event, known[event.identity].payload))
            elif isinstance(attribution := next(attributions), Poison):
                outcomes.append(Poisoned(record, attribution, event))
            else:
                outcomes.append(Credited(record, event, attribution))
        return recognise(outcomes, known)

    def _decode(self, record: Record) -> GeneratedImage | Poison:
        try:
            return self._parts.decoder.decode(record)
        except Poison as poison:
            return poison

    async def _commit(
        self,
        partition: Partition,
        piece: Sequence[Outcome],
        next_offset: int,
        stamp: Stamp,
        known: dict[bytes, Known],
    ) -> RunAnswer:
        """Steps 3 to 5, and the one place that acts on a commit's answer.

        Events of the run that turn out to be credited by other partitions are added to `known`, for later pieces: one
        that was a duplicate of such an event is judged again.
        """
        published: set[int] = set()
        piece = recognise(piece, known)
        while True:
            proposal = propose(partition, self._positions[partition], piece, next_offset, stamp)
            await self._publish(partition, proposal, published)
            answer = await self._blocking(self._parts.ledger.commit, proposal.batch)
            if not isinstance(answer, Committed | AlreadyCommitted):
                self._parts.observer.commit_refused(partition, answer)
            match answer:
                case Committed() | AlreadyCommitted():
                    self._positions[partition] = proposal.batch.next
                    self._parts.observer.run_finished(_summary(partition, proposal))
                    return Committed()
                case Duplicate(identities):  # each turn sets at least one event aside, so this ends
                    known |= await self._blocking(self._parts.ledger.known, partition.number, tuple(identities))
                    piece = recognise(piece, known)
                case Fenced():
                    return answer
                case Rewound(found):
                    self._positions[partition] = found
                    return answer
                case Missing():
                    raise LedgerMissing(
                        f"{partition}: the ledger's position is gone; nothing was written. Restore the ledger's data; "
                        "`gmv ledger init` starts a new ledger, which would credit the whole log again"
                    )
                case OutOfRange(field):
                    raise CreditOutOfRange(
                        f"{partition}: the total of {field!r} would leave [0, 2^53); nothing was written"
                    )

    async def _publish(self, partition: Partition, proposal: Proposal, published: set[int]) -> None:
        """Step 3. Dead letters published on an earlier turn of the same commit are not repeated (I9)."""
        if not published:
            reasons = [outcome.poison if isinstance(outcome, Poisoned) else None for outcome in proposal.outcomes]
            self._limits[partition].admit(str(partition), reasons)
        unpublished = [each for each in proposal.dead_letters if each.record.offset not in published]
        if proposal.receipts or unpublished:
            await self._parts.outbox.publish(partition, proposal.receipts, unpublished)
        published.update(each.record.offset for each in unpublished)

    async def _checked_positions(self, partitions: Collection[Partition], log: Log) -> dict[Partition, Position]:
        """Positions first, bounds second: a live log only grows past a position, so the other order errs.

        A second check, since another worker may still be moving a position while the bounds are read.
        """
        topic_id = await log.topic_id()
        for is_last in (False, True):
            positions = await self._blocking(self._read_positions, partitions)
            bounds = await log.bounds(partitions)
            complaints = [complaint_about_bounds(p, positions[p], topic_id, bounds[p]) for p in partitions]
            if not any(complaints):
                self._parts.observer.bounds_read(bounds)
                return positions
            if is_last:
                raise PositionOutsideLog("; ".join(complaint for complaint in complaints if complaint))
        raise AssertionError("unreachable: the second check returns or raises")

    def _read_positions(self, partitions: Collection[Partition]) -> dict[Partition, Position]:
        topics = {partition.topic for partition in partitions}
        found: dict[Partition, Position] = {}
        for topic in topics:
            numbers = [partition.number for partition in partitions if partition.topic == topic]
            for number, position in self._parts.ledger.positions(topic, numbers).items():
                found[Partition(topic, number)] = position
        return found

    async def _blocking(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = partial(copy_context().run, call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _is_fresh(event: GeneratedImage | Poison, known: Mapping[bytes, Known]) -> TypeGuard[GeneratedImage]:
    return isinstance(event, GeneratedImage) and event.identity not in known


def _summary(partition: Partition, proposal: Proposal) -> RunSummary:
    batch = proposal.batch
    return RunSummary(
        partition=partition,
        records=len(proposal.outcomes),
        credited=len(batch.entries),
        duplicates=batch.duplicates,
        dead_letters=proposal.dead_letters_by_reason,
        micros=batch.micros,
        position=batch.next,
        owners=len(batch.credits),
        timestamps_ms=[outcome.record.timestamp_ms for outcome in proposal.outcomes],
        attributions=proposal.attributions,
    )
