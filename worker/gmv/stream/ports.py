"""The ports of the worker core: what it needs of a log, of the place where receipts go, and of an observer."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gmv.errors import Poison, Reason
from gmv.events.model import GeneratedImage
from gmv.events.trace_context import TraceContext
from gmv.ledger.port import Answer, Committed, Fenced, Rewound
from gmv.ledger.position import Position
from gmv.stream.records import Bounds, Partition, Record, Run
from gmv.valuation.types import Attribution


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be credited, whole and unchanged, and why."""

    record: Record
    poison: Poison


class Log(Protocol):
    """An ordered, re-readable sequence of records: a Kafka topic or a file."""

    async def topic_id(self) -> str:
        """Return the log's identity; a log that was deleted and made again has another.

        Raises:
            LogUnavailable: the log does not exist or does not answer.
        """

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Return the offsets each partition holds now."""

    def seek(self, partition: Partition, offset: int) -> None:
        """Let the next `read` of the partition begin at that offset."""

    async def read(self) -> list[Run]:
        """Return the next runs, at most one per partition; empty where nothing new has come within a short wait."""


class NotSought(Exception):  # noqa: N818 - a flow word
    """A partition was assigned to this member and nothing said yet where to read it."""


class GroupLog(Log, Protocol):
    """A log read as a member of a group: which partitions are its own changes under it."""

    def assignment(self) -> set[Partition]:
        """Return the partitions the group gave to this member."""

    def pause(self, partition: Partition) -> None:
        """Read nothing of the partition until it is assigned again or resumed."""

    def resume(self, partition: Partition) -> None:
        """Read the partition again."""

    async def read(self) -> list[Run]:
        """Return the next runs, as `Log.read` does.

        Raises:
            NotSought: a partition was assigned and not yet sought.
            PositionOutsideLog: the offset sought is gone from the log, or the group's own where none was sought yet.
        """

    async def commit_for_lag_tools(self, offsets: Mapping[Partition, int]) -> None:
        """Commit how far we are to the group, for lag tools and autoscalers only.

        Raises:
            LogUnavailable: it was refused, or no broker answered; nothing is lost.
        """


RunAnswer = Committed | Fenced | Rewound
"""How a run ended: credited whole; or the partition is another worker's now; or the server lost a tail."""


class Creditor(Protocol):
    """What a member needs of the worker core."""

    def next_offset(self, partition: Partition) -> int:
        """Return where the partition has to be read next."""

    async def unregistered(self, partitions: Collection[Partition]) -> set[Partition]:
        """Return those of the partitions that were added to the topic and are not registered in the ledger yet."""

    async def assign(self, partitions: Collection[Partition], log: Log) -> None:
        """Learn from the ledger where to read each of the partitions, and forget all others.

        Raises:
            LedgerMissing: a partition has no position.
            PositionOutsideLog: a position is in another log, before the log's start or beyond its end.
        """

    async def check(self, partitions: Collection[Partition]) -> dict[Partition, Fenced | Rewound]:
        """Compare positions with the ledger's, and return those that differ with what a commit would be answered.

        Partitions in which nothing new arrives commit nothing: they would not learn otherwise that the server lost a
        tail, and what was in it would not be credited again before the next rebalance (I7).

        Raises:
            LedgerMissing: a position is gone from the ledger (I8).
        """

    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        """Credit a run of a partition that was assigned: all of it, or up to the commit that was refused.

        Args:
            run: as it was read.
            confirmed: waited for before anything is published; raises where the run must not be credited.

        Raises:
            LedgerMissing: the position is gone from the ledger (I8).
            CreditOutOfRange: a total would leave its range (I10).
            TooManyDeadLetters: a limit is passed.
        """


class Decoder(Protocol):
    """From a record to the event it holds."""

    def decode(self, record: Record) -> GeneratedImage:
        """Return the event.

        Raises:
            Poison: the record holds none.
        """


class Valuer(Protocol):
    """What the core needs of the attributor."""

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        """Return one outcome per event, in order; an outcome depends on its own event alone."""


@dataclass(frozen=True, slots=True)
class SealedReceipt:
    """A receipt with its batch id, ready to be published.

    Attributes:
        key: the event's id.
        value: JSON, see schemas/.
        trace: of the event's record. Beside the value, which batch ids are digests of: the same log gives the same
            receipts, however it was traced.
    """

    key: bytes
    value: bytes
    trace: TraceContext | None = None


class Outbox(Protocol):
    """Where receipts and dead letters go."""

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """Return once all of them are durable: acknowledged by all in-sync replicas, or on disk.

        The same receipts or dead letters may be published again after a crash; readers recognise them by batch id and
        by (topic, partition, offset).

        Raises:
            LogUnavailable: they could not be made durable; nothing may be committed.
        """


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What became of one run, once it is in the ledger.

    Attributes:
        partition: where it was read.
        records: number of records; the sum of the next three (I3). 0 where aborted records and marks were passed.
        credited: events credited.
        duplicates: events that were credited before.
        dead_letters: number of records dead-lettered, by reason.
        micros: micro-credits committed.
        attributions: of the credited events.
        position: the partition's position after the run.
        owners: number of owners credited.
        timestamps_ms: broker time of each record, -1 where unknown; for watching only, never in a credit.
    """

    partition: Partition
    records: int
    credited: int
    duplicates: int
    dead_letters: Mapping[Reason, int]
    micros: int
    position: Position
    owners: int
    timestamps_ms: Sequence[int] = field(default=(), repr=False)
    attributions: Sequence[Attribution] = field(default=(), repr=False)


class Observer(Protocol):
    """Watches the core; never decides anything."""

    def run_finished(self, summary: RunSummary) -> None:
        """Take note of a run that was committed."""

    def positions_assigned(self, positions: Mapping[Partition, Position]) -> None:
        """Take note of the partitions now owned and of their positions; replaces what was owned before."""

    def bounds_read(self, bounds: Mapping[Partition, Bounds]) -> None:
        """Take note of what the log holds now."""

    def commit_refused(self, partition: Partition, answer: Answer) -> None:
        """Take note of a commit that changed nothing, or of a look that showed that one would not, and why."""


class MemberObserver(Protocol):
    """Watches a member of a group; never decides anything."""

    def instance_id_taken(self, host: str) -> None:
        """Take note that a look found another worker, on that host, under this one's name: this one waits."""

    def instance_id_free(self) -> None:
        """Take note that no other worker has the name, or that there is none."""
