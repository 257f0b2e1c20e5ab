"""The brokers' side of Kafka: partitions with gaps, transactions, retention; a topic with an identity; outages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gmv.stream.records import Bounds, Record

Kind = Literal["data", "pending", "aborted", "marker"]


@dataclass
class Entry:
    """What is at one offset."""

    record: Record
    kind: Kind = "data"


@dataclass
class PartitionLog:
    """One partition.

    Attributes:
        entries: everything from offset 0, also what retention took.
        start: the first offset that retention left.
        history: everything that was ever acknowledged, also what a bad election cut off.
    """

    entries: list[Entry] = field(default_factory=list)
    start: int = 0
    _pending_from: int | None = None
    _before_the_cut: list[Entry] | None = None

    @property
    def history(self) -> list[Entry]:
        """See the class."""
        return self.entries if self._before_the_cut is None else self._before_the_cut

    @property
    def is_cut(self) -> bool:
        """Whether a tail was lost; nothing is appended to such a partition."""
        return self._before_the_cut is not None

    @property
    def end(self) -> int:
        """The offset the next record gets."""
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        """The first offset of the open transaction, or the end: so far committed records are read."""
        return self.end if self._pending_from is None else self._pending_from

    def append(self, make: Callable[[int], Record], is_pending: bool = False) -> None:
        """Write a record that is made from its offset."""
        if is_pending and self._pending_from is None:
            self._pending_from = self.end
        self.entries.append(Entry(make(self.end), "pending" if is_pending else "data"))

    def finish_transaction(self, is_committed: bool) -> None:
        """Decide what is pending, and write the marker that says so."""
        if self._pending_from is None:
            return
        for entry in self.entries[self._pending_from :]:
            if entry.kind == "pending":
                entry.kind = "data" if is_committed else "aborted"
        self._pending_from = None
        self.entries.append(Entry(Record(self.end, None), "marker"))

    def cut(self, end: int) -> None:
        """Lose a tail, as an election among replicas that are behind does."""
        self._before_the_cut = self.entries
        self.entries = self.entries[:end]
        self._pending_from = None

    def read(self, offset: int, records_max: int) -> tuple[Sequence[Record], int]:
        """Return committed records from an offset on, and the offset to read next."""
        found: list[Record] = []
        stable_end = self.stable_end
        while offset < stable_end and len(found) < records_max:
            entry = self.entries[offset]
            if entry.kind == "data":
                found.append(entry.record)
            offset += 1
        return found, offset

    def has_data_after(self, offset: int) -> bool:
        """Whether a reader of committed records finds any from that offset on."""
        return any(entry.kind == "data" for entry in self.entries[offset : self.stable_end])


@dataclass
class Topic:
    """One life of a topic's name."""

    id: str
    partitions: list[PartitionLog]

    def bounds(self, partition: int) -> Bounds:
        """Return what a reader of committed records is answered."""
        log = self.partitions[partition]
        return Bounds(log.start, log.stable_end)


@dataclass
class Brokers:
    """The cluster as its clients find it.

    Attributes:
        topic: of the events.
        is_up: whether anything is answered.
        has_lag_topic: whether group offsets can be stored.
        latency: draws the seconds that a request or an answer travels.
    """

    topic: Topic
    latency: Callable[[], float]
    is_up: bool = True
    is_storing_offsets: bool = True
