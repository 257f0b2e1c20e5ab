"""The chains of published batches, walked back from a ledger's positions: which of them were committed.

They are kept in a temporary file of SQLite's, about 100 bytes a batch: a topic in which each event is a batch has
millions, and memory stays the same.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final

from gmv.errors import ConservationBroken, DiskFull
from gmv.ledger.position import Position
from gmv.operations.published import ELSEWHERE, PassedOver, Published, PublishedBatch, published_batches

Receipts = Callable[[], Iterable[Published]]
"""Starts a pass over published receipts, in any order."""

Positions = Mapping[tuple[str, int], Position]
"""All positions of a ledger, by (topic, partition)."""

_CACHE_KIBIBYTES: Final = 16_384
_PUBLISHED, _COMMITTED, _TAKEN = range(3)


class Chain:
    """Batches by id, each with the one before it.

    Attributes:
        passed_over: what was published and is no receipt.
    """

    def __init__(self, passed_over: PassedOver) -> None:
        self.passed_over = passed_over
        self._complaints: dict[str, str] = {}
        self._file = sqlite3.connect("", isolation_level=None)  # "": a file without a name, gone when it is closed
        self._file.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIBIBYTES};"
            "CREATE TABLE batch (id TEXT PRIMARY KEY, previous TEXT, standing INTEGER) WITHOUT ROWID; BEGIN"
        )

    def add(self, batch: PublishedBatch) -> None:
        """Note a batch; of one that is not whole, why."""
        if batch.is_whole:
            self._file.execute(
                "INSERT OR IGNORE INTO batch VALUES (?, ?, ?)", (batch.id, str(batch.previous), _PUBLISHED)
            )
        else:
            self._complaints[batch.id] = batch.complaint

    def walk_back(self, positions: Positions) -> None:
        """Mark what the positions confirm.

        Raises:
            ConservationBroken: a committed batch is without its receipts.
        """
        for (topic, number), position in positions.items():
            name = position.batch_id
            while name:
                previous = self._previous(name)
                if previous is None:
                    complaint = self._complaints.get(name, f"its receipts are missing; look for them {ELSEWHERE}")
                    raise ConservationBroken(
                        f"batch {name} of {topic}[{number}] is in the ledger, but {complaint}"
                        f"{self.passed_over.complaint()}"
                    )
                self._file.execute("UPDATE batch SET standing = ? WHERE id = ?", (_COMMITTED, name))
                name = previous

    def holds(self, name: str) -> bool:
        """Return whether a whole batch of that id was published."""
        return self._previous(name) is not None

    def take(self, batch: PublishedBatch) -> bool:
        """Return whether it is committed and was not taken before: one that was published twice counts once."""
        if not batch.is_whole:  # an altered copy of its id: the batch itself may be still to come
            return False
        taken = self._file.execute(
            "UPDATE batch SET standing = ? WHERE id = ? AND standing = ?", (_TAKEN, batch.id, _COMMITTED)
        )
        return taken.rowcount == 1

    @property
    def orphans(self) -> int:
        """Number of whole batches that were never committed."""
        ((count,),) = self._file.execute("SELECT COUNT(*) FROM batch WHERE standing = ?", (_PUBLISHED,))
        return int(count)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _previous(self, name: str) -> str | None:
        found = self._file.execute("SELECT previous FROM batch WHERE id = ?", (name,)).fetchone()
        return None if found is None else str(found[0])


@contextmanager
def chain_of(published: Iterable[Published], passed_over: PassedOver | None = None) -> Iterator[Chain]:
    """Give the chain of all that was published; what is no receipt is noted, where somebody wants to know it.

    Raises:
        DiskFull: the temporary file cannot grow.
    """
    try:
        with closing(Chain(passed_over or PassedOver())) as chain:
            for batch in published_batches(published, chain.passed_over.add):
                chain.add(batch)
            yield chain
    except sqlite3.OperationalError as error:
        raise DiskFull(
            f"the temporary file of receipts' batches cannot grow ({error}); free some space, or set TMPDIR to a "
            "folder that has it"
        ) from error


def committed_batches(chain: Chain, published: Iterable[Published]) -> Iterator[PublishedBatch]:
    """Yield the batches that a chain found committed, each once, in the order published."""
    return (batch for batch in published_batches(published) if chain.take(batch))
