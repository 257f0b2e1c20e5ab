"""What gmv needs of a ledger: one atomic commit, and self-consistent reads."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gmv.ledger.beginning import Begin, Beginning, FirstPartitions
from gmv.ledger.position import Position

FIELDS_MAX = 3_900  # Lua's unpack fails above about 8,000 values, and a field is two of them (measured on 7.0.15)
FIXED_FIELDS = 5  # the position and the four sums
MICROS_MAX = 2**53 - 1  # Redis scripts add in doubles


@dataclass(frozen=True, slots=True)
class Entry:
    """An event credited by a batch.

    Attributes:
        identity: 16 bytes, digest of the event's (source, id).
        offset: of the event in the batch's partition.
        payload: 8 bytes, digest of what the event says; another event of the same id has another.
    """

    identity: bytes
    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """Where an event identity was credited before."""

    partition: int
    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one commit changes, or leaves unchanged, together.

    Attributes:
        topic: name of the log.
        partition: of the log; also selects the book.
        expected: the position this batch starts from; the ledger refuses the batch if it holds another.
        next: the position after it.
        credits: owner id -> micro-credits to add, each >= 0; one entry per owner.
        entries: the events credited, or the corrections applied, each identity once.
        dead_letters: number of records dead-lettered in this range of the log.
        duplicates: number of records refused as already credited.
        repeats: identities that this batch takes for credited before it, with the payload digest credited then.
        debits: owner id -> micro-credits to take away, each > 0, of owners that are not in `credits`; in corrections
            alone.
        is_correction: whether the log is one of corrections.
    """

    topic: str
    partition: int
    expected: Position
    next: Position
    credits: Mapping[str, int]
    entries: Sequence[Entry]
    dead_letters: int = 0
    duplicates: int = 0
    repeats: Mapping[bytes, bytes] = field(default_factory=dict)
    debits: Mapping[str, int] = field(default_factory=dict)
    is_correction: bool = False

    @property
    def micros(self) -> int:
        """Sum of the credits less that of the debits."""
        return sum(self.credits.values()) - sum(self.debits.values())

    @property
    def changes(self) -> dict[str, int]:
        """Owner id -> what is added to the total."""
        return {**self.credits, **{owner_id: -micros for owner_id, micros in self.debits.items()}}


@dataclass(frozen=True, slots=True)
class Committed:
    """The batch is in the ledger, now and by this call."""


@dataclass(frozen=True, slots=True)
class AlreadyCommitted:
    """The ledger's position is where this batch leads: our own earlier call applied it and its reply was lost."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Nothing was written: these identities are credited already (another partition of the book was quicker)."""

    identities: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Fenced:
    """Nothing was written: somebody else moved the position on. Drop the partition."""

    found: Position


@dataclass(frozen=True, slots=True)
class Rewound:
    """Nothing was written: the server lost a tail. Read again from the position it holds now.

    That may be the position expected, where the tail of another partition was lost, with an event that this batch
    takes for credited.
    """

    found: Position


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing was written: the server has no position for this partition. Fail closed (I8)."""


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """Nothing was written: this field's total would leave [0, 2^53) (I10)."""

    field: str


Answer = Committed | AlreadyCommitted | Duplicate | Fenced | Rewound | Missing | OutOfRange


@dataclass(frozen=True, slots=True)
class Balance:
    """An owner's running total, summed over the books."""

    owner_id: str
    micros: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What the ledger counts beside the owners' totals, in the same atomic commit, summed over the books.

    Attributes:
        micros: all micro-credits ever committed, less those that corrections withdrew; equals the sum of all balances
            (I2).
        credited: events credited.
        dead_letters: records dead-lettered.
        duplicates: records refused as already credited.
        corrections: corrections applied.
    """

    micros: int
    credited: int
    dead_letters: int
    duplicates: int
    corrections: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One book, all of it read at one moment (I6).

    Attributes:
        book: its number.
        owners: number of owners with a total in it.
        micros: the owners' totals, summed.
        events: number of event identities kept, those included that no longer count and are not yet removed.
        window: for how many offsets an identity counts; None is for ever.
        sums: what the book itself counted.
        positions: by (topic, partition).
        balances: owner id -> total in this book; empty where they were not asked for.
        begins: where crediting began, by (topic, partition), as far as it was recorded.
        first: the partitions that each topic had when the ledger first knew it; book 0 holds them.
    """

    book: int
    owners: int
    micros: int
    events: int
    sums: Sums
    positions: Mapping[tuple[str, int], Position]
    window: int | None = None
    balances: Mapping[str, int] = field(default_factory=dict)
    begins: Mapping[tuple[str, int], Begin] = field(default_factory=dict)
    first: Mapping[str, FirstPartitions] = field(default_factory=dict)


class Ledger(Protocol):
    """The worker's side. Blocking; safe to call from one thread at a time.

    Every method raises `LedgerUnavailable` when the server does not answer within the retry budget,
    `LedgerMissing` when there is no initialised ledger at the address, `LedgerRefused` when what is there is not
    one of ours, damaged, of another format or closed to this user, and `DiskFull`.
    """

    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        """Return the position of each partition.

        Raises:
            LedgerMissing: one of them has none; it says which, and how to initialise it.
        """

    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        """Return those of the partitions that were added to a topic which the ledger knows, and have no position yet.

        Any other partition without a position has lost it, or its topic is not known here: `positions` refuses it.
        """

    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        """Return those of the identities that the partition's book has credited already."""

    def commit(self, batch: Batch) -> Answer:
        """Apply the batch whole, or change nothing and say why (I4).

        Raises:
            CreditOutOfRange: the batch has more than `FIELDS_MAX` fields or a negative credit (a caller's error).
        """

    def note(self, topic: str, partition: int) -> str | None:
        """Return what was noted last for the partition, None where nothing was."""

    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        """Keep a text with the partition, if `expected` still is what was noted last; return whether it was.

        A note outlives its worker and moves nothing: it is for what the next worker has to know.

        Args:
            topic: name of the log.
            partition: of the log.
            expected: what `note` returned, or what was kept since; None is nothing.
            text: not empty, and another one with every call, since a call whose reply is lost is sent again.
        """

    def close(self) -> None:
        """Release the connection."""


class Accounts(Protocol):
    """The reader's side. Blocking. Raises as `Ledger` does."""

    def books(self) -> int:
        """Return how many books the ledger has."""

    def totals(self, owner_ids: Sequence[str], book: int | None = None) -> dict[str, int]:
        """Return the totals of those of the owners that were ever credited; per book, all of one moment (I6).

        Args:
            owner_ids: whose.
            book: in this book alone; None is in all of them.
        """

    def balances(self) -> Iterator[Balance]:
        """Yield every owner once, in no stated order."""

    def sums(self) -> Sums:
        """Return the ledger's own counts."""

    def positions(self) -> dict[tuple[str, int], Position]:
        """Return all positions, by (topic, partition)."""

    def beginning(self, topic: str, partitions: Collection[int]) -> Beginning:
        """Return where crediting of the partitions began, as far as it was recorded."""

    def snapshots(self, *, balances: bool = False) -> Iterator[Snapshot]:
        """Yield every book, each at one moment, also while commits go on.

        Args:
            balances: whether each owner's total is wanted too, which takes memory for all owners of a book.
        """

    def close(self) -> None:
        """Release the connection."""


def fields_of(batch: Batch) -> int:
    """Number of hash fields the batch needs: owners, events credited and repeated, the position and the four sums."""
    return len(batch.credits) + len(batch.debits) + len(batch.entries) + len(batch.repeats) + FIXED_FIELDS
