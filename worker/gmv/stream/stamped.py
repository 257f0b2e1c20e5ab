"""By what a run is credited: who attributes it, and what its receipts say of the index and the settings.

Both change together and between two runs, so a run has one index, and its receipts name the one it was credited by.
"""

from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from gmv.stream.outcomes import Stamp
from gmv.stream.ports import Valuer


@dataclass(frozen=True, slots=True, eq=False)
class StampedValuer:
    """A valuer, and the stamp of all that it attributes."""

    valuer: Valuer
    stamp: Stamp


class Valuers(Protocol):
    """Where the core learns by what the next run is credited."""

    def current(self) -> StampedValuer:
        """Return it. Asked once per run, which keeps it to its end, also when its commit is tried again."""


class OneValuer(Valuers):
    """`Valuers` of a process that keeps the index it began with."""

    def __init__(self, stamped: StampedValuer) -> None:
        self._stamped = stamped

    @override
    def current(self) -> StampedValuer:
        return self._stamped
