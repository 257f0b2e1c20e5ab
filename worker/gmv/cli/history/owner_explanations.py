"""`gmv explain --owner`: the events that paid an owner, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gmv.cli.history.committed import history, known_owner
from gmv.cli.history.statement_view import passed_over_text
from gmv.cli.output import credits_text, distance_text, render, table
from gmv.errors import InvalidSettings
from gmv.statements.owner_events import PayingEvent, Wanted, newest_events
from gmv.statements.period import period_of, period_text
from gmv.valuation.types import MICROS_PER_CREDIT
from gmv.wording import count_of, shortened

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say."""

    owner_id: str
    since: str | None
    until: str | None
    timezone: str
    image_id: str | None
    least: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class OwnerEvents:
    """The events that paid an owner.

    Attributes:
        ledger_url: of the ledger.
        owner_id: whom they paid.
        since: begin of the period asked for, None where it has none.
        until: its end, likewise.
        image_id: the training image asked for, if one was.
        least_micros: what each paid the owner at least.
        events_found: how many there are.
        credit_micros: what all of them paid the owner.
        corrections: how many changed what the owner has, of whichever event and at whatever time.
        correction_micros: by how much; below 0 where they took it away.
        events: the newest of them.
        lines_passed_over: places of lines that are no receipts.
    """

    ledger_url: str
    owner_id: str
    since: str | None
    until: str | None
    image_id: str | None
    least_micros: int
    events_found: int
    credit_micros: int
    corrections: int
    correction_micros: int
    events: tuple[PayingEvent, ...]
    lines_passed_over: tuple[str, ...]


def explain_owner(asked: Asked, files: list[Path], topics: list[str], settings: "Settings", json: bool) -> None:
    """Print them; exits with 1 if there is none.

    Raises:
        InvalidSettings: the ledger does not know the owner, or an option is wrong.
    """
    period = period_of(asked.since, asked.until, asked.timezone)
    least_micros = _micros(asked.least)
    with history(files, topics, settings) as found:
        wanted = Wanted(known_owner(asked.owner_id, found.totals), period, asked.image_id, least_micros)
        events = newest_events(wanted, asked.limit, found.bookings())
    result = OwnerEvents(
        ledger_url=settings.ledger.url,
        owner_id=asked.owner_id,
        since=period.text(period.since_ms),
        until=period.text(period.until_ms),
        image_id=asked.image_id,
        least_micros=least_micros,
        events_found=events.found,
        credit_micros=events.micros,
        corrections=events.corrections,
        correction_micros=events.correction_micros,
        events=events.newest(),
        lines_passed_over=tuple(found.passed_over.places),
    )
    render(result, json, _view)
    if not events.found:
        raise typer.Exit(1)


def _micros(credits_least: str | None) -> int:
    """Return an amount of credits in micro-credits, rounded up: what is less than it is not asked for."""
    if credits_least is None:
        return 1
    if re.fullmatch(r"\d{1,10}(\.\d{1,18})?", credits_least, re.ASCII) is None:
        raise InvalidSettings(f"--least {credits_least!r} is no number of credits; 0.25 is one")
    return max(1, ceil(Decimal(credits_least) * MICROS_PER_CREDIT))


def _view(found: OwnerEvents) -> "Iterator[str | ConsoleRenderable]":
    shown = f", the newest {len(found.events):,} of them below" if len(found.events) < found.events_found else ""
    yield (
        f"{count_of(found.events_found, 'event')} paid {found.owner_id} {credits_text(found.credit_micros)} credits, "
        f"{period_text(found.since, found.until)}{_filters_text(found)}{shown}"
    )
    if found.corrections:
        yield (
            f"corrections are not in that: {count_of(found.corrections, 'correction')} changed what {found.owner_id} "
            f"has by {credits_text(found.correction_micros)} credits at all times, which `gmv credits statement` lists"
        )
    if found.events:
        yield table(
            None,
            ["time", "event", "model", "training image", "distance", "share", "credits", "all"],
            map(_row, found.events),
            numbers=["distance", "share", "credits", "all"],
        )
        yield "`gmv explain EVENT` shows all contributors of one of them"
    yield from passed_over_text(found.lines_passed_over)


def _filters_text(found: OwnerEvents) -> str:
    asked = [f"that credit training image {found.image_id}"] if found.image_id is not None else []
    if found.least_micros > 1:
        asked.append(f"that pay at least {credits_text(found.least_micros)} credits")
    return f", of events {' and '.join(asked)}" if asked else ""


def _row(event: PayingEvent) -> list[object]:
    unreliable = (event.id, "unreliable") if event.evidence and not event.evidence.reliable else event.id
    return [
        event.time or "no time told",
        unreliable,
        shortened(event.model) if event.model else "-",
        tuple(each.image_id for each in event.images),
        tuple(distance_text(each.distance, each.mirrored) for each in event.images),
        tuple(f"{each.share:.1%}" for each in event.images),
        tuple(credits_text(each.credit_micros) for each in event.images),
        credits_text(event.credit_micros),
    ]
