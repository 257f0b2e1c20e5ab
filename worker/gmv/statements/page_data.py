"""What pages of owners and of all of them show, gathered in one pass over the bookings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gmv.ledger.totals import LedgerTotals
from gmv.statements.bookings import Booking
from gmv.statements.owner_events import NewestEvents, PayingEvent, Wanted
from gmv.statements.period import Period, When
from gmv.statements.statement import Corrections, Statement, StatementLine, Works, laid_out, line_of
from gmv.statements.tally import By, Line, Tally
from gmv.valuation.evidence import UNATTRIBUTED
from gmv.valuation.receipt import is_correction

EVENTS_SHOWN: Final = 100
"""On an owner's page, unless another number is asked for."""
WORKS_SHOWN: Final = 24
ORIGINS_SHOWN: Final = 20


class Origin(NamedTuple):
    """By what an event was attributed: the index's id, the digest of the settings, and tau."""

    index_id: str
    settings_digest: str
    temperature: float


@dataclass(frozen=True, slots=True)
class OwnerPage:
    """What an owner's page shows.

    Attributes:
        statement: by month.
        by_model: the same period, by model.
        events: the newest in the period, and those without a time where it has neither begin nor end.
        events_found: how many there are.
        origins: by what events of the period were attributed, and how many by each, most first.
    """

    statement: Statement
    by_model: Sequence[StatementLine]
    events: Sequence[PayingEvent]
    events_found: int
    origins: Sequence[tuple[Origin, int]]

    @property
    def image_ids(self) -> set[str]:
        """The training images that are shown."""
        shown = {each.image_id for event in self.events for each in event.images}
        return shown | {work.image_id for work in self.statement.works}


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """An owner on the page of all: what the period came to for them, and their total."""

    owner_id: str
    line: StatementLine
    ledger_micros: int


@dataclass(frozen=True, slots=True)
class ManagerPage:
    """What the page of all owners shows.

    Attributes:
        since: begin of the period, None where it has none.
        until: its end, which is no part of it.
        total: what the period came to, each event counted once.
        by_month: the same, by month.
        by_model: the same, by model.
        owners: those who earned most in the period first, ties by id; the account `unattributed` is none.
        unattributed_micros: of the events of the period, paid to nobody for want of evidence; shared out since or not.
        without_time_micros: of receipts that tell no time, where the period has a begin or an end, and so lacks them.
        ledger_micros: of all owners, at all times.
    """

    since: str | None
    until: str | None
    total: StatementLine
    by_month: Sequence[StatementLine]
    by_model: Sequence[StatementLine]
    owners: Sequence[OwnerRow]
    unattributed_micros: int
    without_time_micros: int
    ledger_micros: int


class _OwnerDesk:
    """Gathers what one owner's page shows."""

    def __init__(self, owner_id: str, period: Period, events_max: int) -> None:
        self.works = Works(owner_id, period)
        self.corrections = Corrections(owner_id, period)
        self.events = NewestEvents(Wanted(owner_id, period), events_max)
        self._origins: dict[Origin, int] = {}

    def add(self, booking: Booking) -> None:
        """Take a booking that changes the owner's total."""
        self.works.add(booking)
        self.corrections.add(booking)
        before = self.events.found
        self.events.add(booking)
        receipt = booking.receipt
        if self.events.found > before and not is_correction(receipt):
            origin = Origin(receipt["index"], receipt["settings"], receipt["temperature"])
            if origin in self._origins or len(self._origins) < ORIGINS_SHOWN:
                self._origins[origin] = self._origins.get(origin, 0) + 1

    def origins(self) -> list[tuple[Origin, int]]:
        """Return them, most events first."""
        return sorted(self._origins.items(), key=lambda each: (-each[1], each[0]))


class PageData:
    """Gathers all of it. Memory grows with owners, and with what is shown of those who get a page."""

    def __init__(
        self,
        owner_ids: Iterable[str],
        period: Period,
        totals: LedgerTotals,
        ledger_url: str,
        events_max: int = EVENTS_SHOWN,
    ) -> None:
        """Begin at nothing.

        Args:
            owner_ids: who gets a page.
            period: that is looked at.
            totals: of the ledger.
            ledger_url: of the ledger.
            events_max: shown on an owner's page.
        """
        self._period = period
        self._totals = totals
        self._ledger_url = ledger_url
        self._desks = {owner_id: _OwnerDesk(owner_id, period, events_max) for owner_id in owner_ids}
        self._by_month = Tally(period, By.MONTH)
        self._by_model = Tally(period, By.MODEL, self._desks)

    def read(self, bookings: Iterable[Booking]) -> None:
        """Take all bookings.

        Raises:
            ConservationBroken: receipts do not come to the ledger's totals.
        """
        for booking in bookings:
            self._by_month.add(booking)
            self._by_model.add(booking)
            for owner_id in booking.changes():
                if (desk := self._desks.get(owner_id)) is not None:
                    desk.add(booking)
        self._by_month.check(self._totals)

    def owner(self, owner_id: str) -> OwnerPage:
        """Return what an owner's page shows."""
        desk = self._desks[owner_id]
        statement = laid_out(
            owner_id,
            self._period,
            By.MONTH,
            self._by_month,
            desk.works,
            desk.corrections,
            self._totals,
            self._ledger_url,
            WORKS_SHOWN,
        )
        by_model = [line_of(key.label, line) for key, line in self._by_model.of(owner_id) if key.when is When.WITHIN]
        return OwnerPage(statement, by_model, desk.events.newest(), desk.events.found, desk.origins())

    def manager(self) -> ManagerPage:
        """Return what the page of all owners shows."""
        within: dict[str, Line] = {each.owner_id: Line() for each in self._totals.balances}
        without_time = 0
        for key, line in self._by_month.lines.items():
            if key.when is When.WITHIN:
                within.setdefault(key.owner_id, Line()).merge(line)
            elif key.when is When.WITHOUT_TIME:
                without_time += line.credit_micros
        unattributed = within.pop(UNATTRIBUTED, Line())
        held = {each.owner_id: each.micros for each in self._totals.balances}
        rows = [OwnerRow(owner_id, line_of(None, line), held.get(owner_id, 0)) for owner_id, line in within.items()]
        total = Line()
        for line in self._by_month.whole.values():
            total.merge(line)
        return ManagerPage(
            since=self._period.text(self._period.since_ms),
            until=self._period.text(self._period.until_ms),
            total=line_of(None, total),
            by_month=_lines(self._by_month),
            by_model=_lines(self._by_model),
            owners=sorted(rows, key=lambda row: (-row.line.credit_micros, row.owner_id)),
            unattributed_micros=unattributed.event_micros,
            without_time_micros=without_time,
            ledger_micros=self._totals.micros,
        )


def _lines(tally: Tally) -> list[StatementLine]:
    named = sorted(tally.whole.items(), key=lambda each: (each[0] is None, each[0] or ""))
    return [line_of(label, line) for label, line in named]
