"""What owners earned, added up: by owner, by where it lies as seen from a period, and by month or model."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from gmv.errors import ConservationBroken
from gmv.ledger.totals import LedgerTotals
from gmv.statements.bookings import Booking
from gmv.statements.period import Period, When

MODELS_MAX: Final = 1_000
"""Models told apart; producers name them, so that there could be one for each event. The others are one line."""
OTHER_MODELS: Final = "(other models)"


class By(StrEnum):
    """What the lines of a statement are of."""

    MONTH = "month"
    MODEL = "model"


class Key(NamedTuple):
    """What a line is of; `label` is a month or a model, None where that is not told or not asked for."""

    owner_id: str
    when: When
    label: str | None


@dataclass(slots=True)
class Line:
    """Sums.

    Attributes:
        events: that paid the owner.
        event_micros: what these paid.
        corrections: about the owner's total.
        correction_micros: what these added; below 0 where they took.
        judged_events: events of which the receipt says whether they are reliable.
        unreliable_events: of these, those that are not.
    """

    events: int = 0
    event_micros: int = 0
    corrections: int = 0
    correction_micros: int = 0
    judged_events: int = 0
    unreliable_events: int = 0

    @property
    def credit_micros(self) -> int:
        """What the owner's total moved by."""
        return self.event_micros + self.correction_micros

    def add(self, booking: Booking, micros: int) -> None:
        """Add what a booking changes."""
        if booking.is_correction:
            self.corrections += 1
            self.correction_micros += micros
            return
        self.events += 1
        self.event_micros += micros
        if (evidence := booking.evidence) is not None:
            self.judged_events += 1
            self.unreliable_events += not evidence.reliable

    def merge(self, other: "Line") -> None:
        """Add the sums of another."""
        for name in Line.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Tally:
    """Adds bookings up. Memory grows with owners, months and models, not with bookings.

    Attributes:
        lines: of each owner.
        whole: what the period came to, by month or model, each event and correction counted once.
    """

    def __init__(self, period: Period, by: By | None, owner_ids: Collection[str] | None = None) -> None:
        """Begin at nothing.

        Args:
            period: that is looked at.
            by: what the lines within the period are of; None: one line.
            owner_ids: of whom; None: all.
        """
        self.lines: dict[Key, Line] = {}
        self.whole: dict[str | None, Line] = {}
        self._period = period
        self._by = by
        self._owner_ids = owner_ids
        self._models: set[str] = set()
        self._keys: dict[str, list[Key]] = {}

    def add(self, booking: Booking) -> None:
        """Add what a booking changes."""
        when = self._period.when(booking.moment_ms)
        label = self._label(booking) if when is When.WITHIN else None
        changes = booking.changes()
        if when is When.WITHIN:
            self.whole.setdefault(label, Line()).add(booking, sum(changes.values()))
        for owner_id, micros in changes.items():
            if self._owner_ids is None or owner_id in self._owner_ids:
                self._line(Key(owner_id, when, label)).add(booking, micros)

    def of(self, owner_id: str) -> "Iterator[tuple[Key, Line]]":
        """Yield an owner's lines, in order of their labels, those without one last."""
        mine = [(key, self.lines[key]) for key in self._keys.get(owner_id, ())]
        yield from sorted(mine, key=lambda each: (each[0].label is None, each[0].label or ""))

    def check(self, totals: LedgerTotals) -> None:
        """See that all lines of each owner come to the ledger's total.

        Raises:
            ConservationBroken: they do not; the owner is named.
        """
        found: dict[str, int] = {}
        for key, line in self.lines.items():
            found[key.owner_id] = found.get(key.owner_id, 0) + line.credit_micros
        held = {balance.owner_id: balance.micros for balance in totals.balances}
        for owner_id in sorted(found.keys() | held.keys() if self._owner_ids is None else self._owner_ids):
            if (explained := found.get(owner_id, 0)) != (has := held.get(owner_id, 0)):
                raise ConservationBroken(
                    f"owner {owner_id!r} has {has} micro-credits in the ledger, {explained} by receipts; run `gmv "
                    "ledger verify` with the receipts of every log that the ledger knows"
                )

    def _line(self, key: Key) -> Line:
        found = self.lines.get(key)
        if found is None:
            found = self.lines[key] = Line()
            self._keys.setdefault(key.owner_id, []).append(key)
        return found

    def _label(self, booking: Booking) -> str | None:
        match self._by:
            case By.MONTH if booking.moment_ms is not None:
                return self._period.month(booking.moment_ms)
            case By.MODEL if (model := booking.model) is not None:
                if model not in self._models and len(self._models) >= MODELS_MAX:
                    return OTHER_MODELS
                self._models.add(model)
                return model
        return None
