"""What one owner earned in a period, line by line, and how that fits the ledger's total."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

from gmv.ledger.totals import LedgerTotals
from gmv.statements.bookings import Booking
from gmv.statements.period import Period, When
from gmv.statements.tally import By, Line, Tally
from gmv.valuation.receipt import is_correction


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What a month or a model came to; its fields are those of `Line`, and the sum of both micro-credits."""

    label: str | None
    events: int
    event_micros: int
    corrections: int
    correction_micros: int
    credit_micros: int
    judged_events: int
    unreliable_events: int

    @property
    def is_empty(self) -> bool:
        """Whether there was neither an event nor a correction."""
        return not self.events and not self.corrections


@dataclass(frozen=True, slots=True)
class Work:
    """A training image, and what it earned in the period."""

    image_id: str
    events: int
    credit_micros: int


@dataclass(frozen=True, slots=True)
class BookedCorrection:
    """A correction in the period: what it changed of the owner's total, why, and the event it is about, if any."""

    id: str
    time: str | None
    change_micros: int
    reason: str
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What an owner earned in a period; opening + total + later + without time = ledger, to the micro-credit.

    Attributes:
        ledger_url: of the ledger.
        owner_id: whose.
        since: begin of the period, None where it has none.
        until: its end, which is no part of it.
        by: what the lines are of.
        lines: the period's, in order of month or model.
        total: their sum.
        opening_micros: what the receipts before the period come to.
        later_micros: what those after it do.
        without_time: of receipts that tell no time, where the period has a begin or an end, and so lacks them.
        ledger_micros: the ledger's total, up to the positions that the receipts were held against.
        works: that earned most in the period, ties by image id.
        works_credited: how many earned anything.
        corrections: in the period, and those without a time, in the order published.
        lines_passed_over: places of lines that are no receipts: torn by a crash, or of another kind.
    """

    ledger_url: str
    owner_id: str
    since: str | None
    until: str | None
    by: By | None
    lines: tuple[StatementLine, ...]
    total: StatementLine
    opening_micros: int
    later_micros: int
    without_time: StatementLine
    ledger_micros: int
    works: tuple[Work, ...]
    works_credited: int
    corrections: tuple[BookedCorrection, ...]
    lines_passed_over: tuple[str, ...] = ()


class Works:
    """Adds up what an owner's training images earned in a period. Memory grows with these."""

    def __init__(self, owner_id: str, period: Period) -> None:
        self._owner_id = owner_id
        self._period = period
        self._earned: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._earned)

    def add(self, booking: Booking) -> None:
        """Add what an event paid for each image."""
        if is_correction(booking.receipt) or self._period.when(booking.moment_ms) is not When.WITHIN:
            return
        for share in booking.receipt["contributors"]:
            if share["owner_id"] == self._owner_id and share["micros"]:
                events, micros = self._earned.get(share["image_id"], (0, 0))
                self._earned[share["image_id"]] = events + 1, micros + share["micros"]

    def first(self, count: int) -> tuple[Work, ...]:
        """Return those that earned most, ties by image id."""
        works = (Work(image_id, events, micros) for image_id, (events, micros) in self._earned.items())
        return tuple(nsmallest(count, works, key=lambda work: (-work.credit_micros, work.image_id)))


class Corrections:
    """Keeps an owner's corrections in a period, and those without a time, in the order published."""

    def __init__(self, owner_id: str, period: Period) -> None:
        self.found: list[BookedCorrection] = []
        self._owner_id = owner_id
        self._period = period

    def add(self, booking: Booking) -> None:
        """Keep a booking, where it is such a correction."""
        receipt = booking.receipt
        if not is_correction(receipt):
            return
        change = booking.changes().get(self._owner_id)
        if change is None or self._period.when(booking.moment_ms) not in {When.WITHIN, When.WITHOUT_TIME}:
            return
        event = receipt.get("event")
        self.found.append(
            BookedCorrection(
                id=receipt["correction"],
                time=self._period.text(booking.moment_ms),
                change_micros=change,
                reason=receipt["reason"],
                event_id=None if event is None else event["id"],
            )
        )


def statement_of(
    owner_id: str,
    period: Period,
    by: By | None,
    bookings: Iterable[Booking],
    totals: LedgerTotals,
    ledger_url: str,
    works_max: int,
) -> Statement:
    """Add up what an owner earned.

    Args:
        owner_id: whose.
        period: that is looked at.
        by: what the lines are of; None: one line.
        bookings: all committed ones, up to the positions of the totals.
        totals: of the ledger.
        ledger_url: of the ledger.
        works_max: how many works are named.

    Raises:
        ConservationBroken: receipts do not come to the ledger's total.
    """
    tally, works, corrections = Tally(period, by, {owner_id}), Works(owner_id, period), Corrections(owner_id, period)
    for booking in bookings:
        tally.add(booking)
        works.add(booking)
        corrections.add(booking)
    tally.check(totals)
    return laid_out(owner_id, period, by, tally, works, corrections, totals, ledger_url, works_max)


def laid_out(
    owner_id: str,
    period: Period,
    by: By | None,
    tally: Tally,
    works: Works,
    corrections: Corrections,
    totals: LedgerTotals,
    ledger_url: str,
    works_max: int,
) -> Statement:
    """Lay out what was added up."""
    total, sums = Line(), {when: Line() for when in When}
    lines = []
    for key, line in tally.of(owner_id):
        sums[key.when].merge(line)
        if key.when is When.WITHIN:
            total.merge(line)
            lines.append(line_of(key.label, line))
    return Statement(
        ledger_url=ledger_url,
        owner_id=owner_id,
        since=period.text(period.since_ms),
        until=period.text(period.until_ms),
        by=by,
        lines=tuple(lines),
        total=line_of(None, total),
        opening_micros=sums[When.BEFORE].credit_micros,
        later_micros=sums[When.AFTER].credit_micros,
        without_time=line_of(None, sums[When.WITHOUT_TIME]),
        ledger_micros=next((each.micros for each in totals.balances if each.owner_id == owner_id), 0),
        works=works.first(works_max),
        works_credited=len(works),
        corrections=tuple(corrections.found),
    )


def line_of(label: str | None, line: Line) -> StatementLine:
    """Return sums as they are shown."""
    return StatementLine(
        label=label,
        events=line.events,
        event_micros=line.event_micros,
        corrections=line.corrections,
        correction_micros=line.correction_micros,
        credit_micros=line.credit_micros,
        judged_events=line.judged_events,
        unreliable_events=line.unreliable_events,
    )
