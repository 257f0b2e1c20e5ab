"""The figures that a demo ends with, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gmv.demo.run import DemoResult
from gmv.demo.source_hits import Outcome, SourceHits, spread

LEADERS: Final = 10


@dataclass(frozen=True, slots=True)
class DemoLeader:
    """An owner and their total in micro-credits."""

    owner_id: str
    credit_micros: int


@dataclass(frozen=True, slots=True)
class DemoContributor:
    """A training image that was credited for an event; `is_source` is whether the event was made of it."""

    image_id: str
    owner_id: str
    distance: float
    utility: float
    credit_micros: int
    is_source: bool
    mirrored: bool


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One event: the training images it was made of, and who was credited, in rank order."""

    event_id: str
    sources: tuple[str, ...]
    contributors: tuple[DemoContributor, ...]


@dataclass(frozen=True, slots=True)
class DemoChecks:
    """What agrees, and what was found of known sources.

    Attributes:
        receipts: number of committed receipts.
        receipt_micros: micro-credits in them.
        account_micros: micro-credits on the owners' accounts.
        sources: training images that events were made of, counted per event.
        sources_credited: those of them that were credited for their event.
        events: with known sources.
        nearest_is_source: events whose nearest contributor is one of their sources.
    """

    receipts: int
    receipt_micros: int
    account_micros: int
    sources: int
    sources_credited: int
    events: int
    nearest_is_source: int


@dataclass(frozen=True, slots=True)
class DemoChance:
    """Share of credit that would be on true owners, and on true sources, were it given to images drawn blindly."""

    owners: float
    sources: float


@dataclass(frozen=True, slots=True)
class DemoCopies:
    """The altered copies: where their credit went, as of the remixes."""

    events: int
    credit_on_true_owners: float
    credit_on_true_sources: float
    chance: DemoChance
    nearest_is_source_rate: float
    effective_contributors: float


@dataclass(frozen=True, slots=True)
class DemoFigures:
    """What became of a demo's events, by this run and earlier ones; `credited_now` and `seconds` are of this run.

    Rates and shares of sources and owners are of the remixes; altered copies have their own, None where an earlier gmv
    made the events. `credit_on_sources` is `credit_on_true_sources` under its former name. `temperature` is that of the
    newest receipt, and `effective_contributors` of the median event.

    The last three are what people are shown of it: owners who earned most, an event that was explained neither best nor
    worst, and checks.
    """

    events: int
    credited: int
    credited_now: int
    duplicates: int
    dead_letters: int
    dead_letters_by_reason: Mapping[str, int]
    owners: int
    credit_micros: int
    conserved: bool
    credit_on_true_owners: float
    credit_on_true_sources: float
    chance: DemoChance
    temperature: float
    effective_contributors: float
    altered_copies: DemoCopies | None
    source_hit_rate: float
    source_hit_rate_by_chance: float
    nearest_is_source_rate: float
    credit_on_sources: float
    credit_on_sources_by_chance: float
    training_images: int
    index_id: str
    index_path: Path
    events_path: Path
    sources_path: Path
    ledger_url: str
    receipts_path: Path
    dead_letters_path: Path
    report_path: Path
    seconds: float
    leaders: tuple[DemoLeader, ...]
    example: DemoEvent
    checks: DemoChecks


def figures_of(result: DemoResult) -> DemoFigures:
    """Return a demo's figures."""
    books, folder, hits = result.books, result.folder, result.hits
    best_middle_worst = spread(books.outcomes, 3)
    return DemoFigures(
        events=books.events,
        credited=books.sums.credited,
        credited_now=result.now.credited,
        duplicates=books.sums.duplicates,
        dead_letters=books.sums.dead_letters,
        dead_letters_by_reason=dict(books.reasons),
        owners=len(books.balances),
        credit_micros=books.sums.micros,
        conserved=books.conserved,
        credit_on_true_owners=hits.owners_share,
        credit_on_true_sources=hits.micros_share,
        chance=DemoChance(hits.owners_share_by_chance, hits.micros_share_by_chance),
        temperature=books.outcomes[-1].receipt["temperature"],
        effective_contributors=hits.effective_contributors,
        altered_copies=_copies(result.copies),
        source_hit_rate=hits.rate,
        source_hit_rate_by_chance=hits.by_chance,
        nearest_is_source_rate=hits.nearest_rate,
        credit_on_sources=hits.micros_share,
        credit_on_sources_by_chance=hits.micros_share_by_chance,
        training_images=len(result.index.images),
        index_id=result.index.index_id,
        index_path=folder.index,
        events_path=folder.events,
        sources_path=folder.sources,
        ledger_url=folder.ledger_url,
        receipts_path=folder.receipts,
        dead_letters_path=folder.dead_letters,
        report_path=folder.report,
        seconds=result.seconds,
        leaders=tuple(DemoLeader(each.owner_id, each.micros) for each in books.balances[:LEADERS]),
        example=_event(best_middle_worst[len(best_middle_worst) // 2]),
        checks=DemoChecks(
            receipts=len(books.outcomes),
            receipt_micros=books.explanation.micros,
            account_micros=sum(balance.micros for balance in books.balances),
            sources=hits.sources,
            sources_credited=hits.credited,
            events=hits.events,
            nearest_is_source=hits.nearest,
        ),
    )


def _copies(hits: SourceHits | None) -> DemoCopies | None:
    if hits is None:
        return None
    return DemoCopies(
        events=hits.events,
        credit_on_true_owners=hits.owners_share,
        credit_on_true_sources=hits.micros_share,
        chance=DemoChance(hits.owners_share_by_chance, hits.micros_share_by_chance),
        nearest_is_source_rate=hits.nearest_rate,
        effective_contributors=hits.effective_contributors,
    )


def _event(outcome: Outcome) -> DemoEvent:
    contributors = tuple(
        DemoContributor(
            entry["image_id"],
            entry["owner_id"],
            entry["distance"],
            entry["utility"],
            entry["micros"],
            entry["image_id"] in outcome.sources,
            entry.get("mirrored", False),
        )
        for entry in outcome.receipt["contributors"]
    )
    return DemoEvent(outcome.event_id, outcome.sources, contributors)
