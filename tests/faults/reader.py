"""Looks at a ledger all the time, as a reader does: each reading has to be whole (I2, I6), none may go back (I5)."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType

from gmv.errors import Refusal
from gmv.ledger.open import open_accounts
from gmv.settings import LedgerSettings
from tests.faults.oracle import Totals
from tests.faults.reading import read_topic

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Reading:
    """One book at one moment."""

    positions: Mapping[int, int]
    totals: Mapping[str, int]


class Watcher:
    """A reader in a thread of its own; a server that is away is asked again."""

    def __init__(
        self, ledger: Callable[[], LedgerSettings], named: Callable[[Mapping[str, int]], Counter[str]]
    ) -> None:
        """Take how the ledger is reached, and what its totals are for the oracle."""
        self._ledger = ledger
        self._named = named
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.readings: list[Reading] = []

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()

    def violations(self, brokers: str, topic: str, *, may_go_back: bool) -> list[str]:
        """Judge all readings so far, once the log that they belong to is at rest."""
        owed = Totals(read_topic(brokers, topic))
        found: list[str] = []
        before: Mapping[int, int] = {}
        for reading in list(self.readings):
            if dict(reading.totals) != owed.at(reading.positions):
                found.append(f"I6: at {dict(reading.positions)} a reader found {dict(reading.totals)}")
            back = [number for number, offset in reading.positions.items() if offset < before.get(number, 0)]
            if back and not may_go_back:
                found.append(f"I5: positions went back in partitions {back}: {dict(before)}, {dict(reading.positions)}")
            before = reading.positions
        return found

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                with closing(open_accounts(self._ledger())) as accounts:
                    (book,) = accounts.snapshots(balances=True)
            except Refusal:
                continue
            positions = {number: position.next_offset for (_, number), position in book.positions.items()}
            reading = Reading(
                positions, {owner: micros for owner, micros in self._named(book.balances).items() if micros}
            )
            if not self.readings or self.readings[-1] != reading:
                self.readings.append(reading)
