"""What any log holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from gmv.ledger.position import Position


@dataclass(frozen=True, slots=True)
class Partition:
    """One ordered part of a log."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.number}]"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is in the log, byte for byte.

    Attributes:
        offset: its place in the partition; grows, with gaps where a log has them.
        key: None where the record has none.
        value: None for a tombstone.
        headers: in order; names may repeat, values be missing.
        timestamp_ms: broker time, -1 where unknown; told in receipts, never part of a credit.
    """

    offset: int
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int = -1


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records of one partition, as one fetch returned them.

    Attributes:
        records: empty where nothing at these offsets is for us: aborted records, marks of transactions.
        end: where to read after this run; None for right after the last record, of which there has to be one then.
    """

    partition: Partition
    records: tuple[Record, ...]
    end: int | None = None

    @property
    def next_offset(self) -> int:
        """Where to read after this run."""
        return self.records[-1].offset + 1 if self.end is None else self.end


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets a partition holds now: [start, end).

    Attributes:
        start: of the oldest record kept.
        end: after the last one that readers are given.
        unstable_records: how many offsets lie beyond the end: records of an open transaction, and all behind its first.
    """

    start: int
    end: int
    unstable_records: int = 0


@dataclass(frozen=True, slots=True)
class LogDescription:
    """A log as it is now.

    Attributes:
        topic: its name.
        topic_id: its identity.
        bounds: per partition number.
    """

    topic: str
    topic_id: str
    bounds: Mapping[int, Bounds]

    def starts(self) -> dict[int, Position]:
        """Return the position of each partition's first record."""
        return {number: Position(self.topic_id, bounds.start) for number, bounds in self.bounds.items()}
