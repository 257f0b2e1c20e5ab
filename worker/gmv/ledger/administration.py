"""What gmv needs of a ledger to make one and to keep it from growing: the ports beside those of workers and readers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gmv.ledger.beginning import FirstPartitions
from gmv.ledger.position import Position


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep of a janitor saw.

    Attributes:
        seen: number of event identities looked at.
        expired: of them, those that count no more.
        is_pass_over: whether with this sweep every identity that was there at the pass's start has been looked at.
    """

    seen: int
    expired: int
    is_pass_over: bool


class Registry(Protocol):
    """The administrator's side. Blocking."""

    def create(self, books: int | None = None) -> None:
        """Make an empty ledger with that many books; a no-op where one exists with as many.

        Args:
            books: None is as many as there are, and one in a new ledger.

        Raises:
            InvalidSettings: one exists with another number of books.
        """

    def first_partitions(self, topic: str, first: FirstPartitions) -> FirstPartitions:
        """Keep which partitions a topic has as the ledger comes to know it; return those that were kept before, if any.

        Raises:
            LedgerRefused: what was kept is damaged.
        """

    def register(
        self, topic: str, positions: Mapping[int, Position], log_starts: Mapping[int, int] | None = None
    ) -> tuple[int, ...]:
        """Give partitions that have no position the stated one; return those that were new. Never moves one.

        Where a partition began is kept before it has a position: a registration that was interrupted is completed with
        the offset that it began with.

        Args:
            topic: name of the log.
            positions: by partition.
            log_starts: the first offset that the log holds of each partition; the position's own where none is stated.
        """

    def state_window(self, offsets: int) -> None:
        """State for how many offsets an event counts as credited, from now on; see `window.py`.

        What a narrower window let go does not come back with a wider one, where a janitor has removed it.

        Raises:
            InvalidSettings: fewer than one.
        """

    def close(self) -> None:
        """Release the connection."""


class Janitor(Protocol):
    """Removes identities of events that count as credited no more. Blocking. Raises as `Ledger` does.

    What it removes has no say in any answer, so it may work beside commits, be ended anywhere, and begin again.
    """

    @property
    def books(self) -> int:
        """How many books there are."""

    def window(self) -> int | None:
        """Return for how many offsets an event counts as credited; None is for ever."""

    def identities(self, book: int) -> int:
        """Return about how many identities a book keeps, to show how far a pass is."""

    def sweep(self, book: int) -> Swept:
        """Look at the next thousand identities or so of a book, and remove those that count no more.

        Takes milliseconds. After a pass over the book comes the next. Nothing is done where no window is stated.
        """

    def survey(self, book: int, window: int) -> Swept:
        """Look as `sweep` does, remove nothing, and return how many would count no more with that window."""

    def close(self) -> None:
        """Release the connection."""
