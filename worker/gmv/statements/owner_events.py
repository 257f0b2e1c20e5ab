"""The events that paid an owner, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappush, heappushpop

from gmv.statements.bookings import Booking, Evidence
from gmv.statements.period import Period, When
from gmv.valuation.receipt import Receipt, Share, is_correction


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for.

    Attributes:
        owner_id: whom they paid.
        period: in which they lie; where it has a begin or an end, those without a time are left out.
        image_id: for which training image; None for any of the owner's.
        micros_min: what they paid the owner at least, in micro-credits.
    """

    owner_id: str
    period: Period = Period()  # noqa: RUF009 - frozen
    image_id: str | None = None
    micros_min: int = 1


@dataclass(frozen=True, slots=True)
class PaidImage:
    """A training image of the owner's, and what the event paid for it; `share` is in [0, 1], of the event's credit."""

    image_id: str
    distance: float
    mirrored: bool
    share: float
    credit_micros: int


@dataclass(frozen=True, slots=True)
class PayingEvent:
    """An event that paid the owner.

    Attributes:
        source: CloudEvents source.
        id: CloudEvents id.
        time: ISO 8601, None where its receipt tells none.
        model: name of the generator, None where it is not told.
        picture: the image's URI, or the name in its metadata; None where neither is told.
        credit_micros: what it paid the owner.
        event_micros: what it paid all.
        images: of the owner's, in rank order.
        others: number of contributors of other owners.
        evidence: for its contributors; None where its receipt does not say.
        topic: of its record.
        partition: likewise.
        offset: likewise.
        index: id of the index.
        settings: digest of the settings.
        temperature: tau of the softmax.
    """

    source: str
    id: str
    time: str | None
    model: str | None
    picture: str | None
    credit_micros: int
    event_micros: int
    images: tuple[PaidImage, ...]
    others: int
    evidence: Evidence | None
    topic: str
    partition: int
    offset: int
    index: str
    settings: str
    temperature: float


class NewestEvents:
    """Keeps the newest events asked for. Memory grows with how many are kept.

    Attributes:
        found: number of events asked for, kept or not.
        micros: what these paid the owner.
        corrections: number of corrections of the owner's credits, whatever else is asked for.
        correction_micros: what these added; below 0 where they took it away.
    """

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self.found = 0
        self.micros = 0
        self.corrections = 0
        self.correction_micros = 0
        self._wanted = wanted
        self._limit = limit
        self._heap: list[tuple[tuple[int, str, int, int, int], Receipt]] = []

    def add(self, booking: Booking) -> None:
        """Keep a booking, where it is of an event asked for and among the newest; count corrections."""
        wanted, receipt = self._wanted, booking.receipt
        micros = booking.changes().get(wanted.owner_id, 0)
        if is_correction(receipt):
            self.corrections += micros != 0
            self.correction_micros += micros
            return
        if micros < max(wanted.micros_min, 1):
            return
        if wanted.image_id is not None and all(
            each["image_id"] != wanted.image_id for each in _shares(receipt, wanted)
        ):
            return
        if wanted.period.when(booking.moment_ms) is not When.WITHIN:
            return
        self.found += 1
        self.micros += micros
        at = receipt["position"]
        moment = -1 if booking.moment_ms is None else booking.moment_ms
        entry = (moment, at["topic"], at["partition"], at["offset"], self.found), receipt  # no two alike
        if len(self._heap) < self._limit:
            heappush(self._heap, entry)
        elif self._limit:
            heappushpop(self._heap, entry)

    def newest(self) -> tuple[PayingEvent, ...]:
        """Return those kept, newest first, those without a time last; ties by place, later ones first."""
        kept = sorted(self._heap, key=lambda each: each[0], reverse=True)
        return tuple(_paying(receipt, self._wanted, None if moment < 0 else moment) for (moment, *_), receipt in kept)


def newest_events(wanted: Wanted, limit: int, bookings: Iterable[Booking]) -> NewestEvents:
    """Look all bookings through."""
    events = NewestEvents(wanted, limit)
    for booking in bookings:
        events.add(booking)
    return events


def _shares(receipt: Receipt, wanted: Wanted) -> list[Share]:
    """Return the owner's; an account that is no contributor has none."""
    return [each for each in receipt["contributors"] if each["owner_id"] == wanted.owner_id and each["micros"]]


def _paying(receipt: Receipt, wanted: Wanted, moment_ms: int | None) -> PayingEvent:
    mine, booking = _shares(receipt, wanted), Booking(receipt, moment_ms)
    at = receipt["position"]
    return PayingEvent(
        source=receipt["event"]["source"],
        id=receipt["event"]["id"],
        time=wanted.period.text(moment_ms),
        model=receipt.get("model"),
        picture=_picture(receipt),
        credit_micros=booking.changes()[wanted.owner_id],
        event_micros=receipt["micros"],
        images=tuple(
            PaidImage(
                image_id=each["image_id"],
                distance=each["distance"],
                mirrored=each.get("mirrored", False),
                share=each["micros"] / receipt["micros"],
                credit_micros=each["micros"],
            )
            for each in mine
        ),
        others=len(receipt["contributors"]) - len(mine),
        evidence=booking.evidence,
        topic=at["topic"],
        partition=at["partition"],
        offset=at["offset"],
        index=receipt["index"],
        settings=receipt["settings"],
        temperature=receipt["temperature"],
    )


def _picture(receipt: Receipt) -> str | None:
    metadata = receipt.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return receipt.get("picture") or (name if isinstance(name, str) else None)
