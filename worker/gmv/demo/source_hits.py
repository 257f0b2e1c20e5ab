"""What became of events whose true sources are known: how much of the credit went to them, and to their owners."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from gmv.valuation.receipt import Receipt
from gmv.valuation.utility import effective_contributors


@dataclass(frozen=True, slots=True)
class Outcome:
    """One credited event beside what it was made of.

    Attributes:
        receipt: as published, contributors in rank order.
        sources: image ids it was made of; empty where nobody knows.
    """

    receipt: Receipt
    sources: tuple[str, ...]

    @property
    def event_id(self) -> str:
        """CloudEvents id."""
        return str(self.receipt["event"]["id"])

    @property
    def credited_sources(self) -> frozenset[str]:
        """The sources among the contributors."""
        return frozenset(self.sources) & {entry["image_id"] for entry in self.receipt["contributors"]}

    @property
    def missed_sources(self) -> tuple[str, ...]:
        """The sources that are not among the contributors."""
        return tuple(image_id for image_id in self.sources if image_id not in self.credited_sources)

    @property
    def micros_to_sources(self) -> int:
        """What the sources earned by this event."""
        contributors = self.receipt["contributors"]
        return sum(entry["micros"] for entry in contributors if entry["image_id"] in self.credited_sources)

    @property
    def is_copy(self) -> bool:
        """Whether it was made of one training image alone."""
        return len(self.sources) == 1

    def micros_to_owners(self, owner_ids: frozenset[str]) -> int:
        """Return what these owners earned by this event, by whichever of their images."""
        return sum(entry["micros"] for entry in self.receipt["contributors"] if entry["owner_id"] in owner_ids)

    @property
    def nearest_is_source(self) -> bool:
        """Whether the nearest contributor is a source."""
        return self.receipt["contributors"][0]["image_id"] in self.sources


@dataclass(frozen=True, slots=True)
class SourceHits:
    """How well known sources were credited.

    Attributes:
        events: credited events with known sources.
        sources: their sources, counted per event.
        credited: those of them among the contributors of their event.
        nearest: events whose nearest contributor is one of their sources.
        by_chance: the share of sources that as many contributors drawn blindly would meet.
        micros_share: the part of these events' micro-credits that went to their sources.
        micros_share_by_chance: the part that would, were each credit given to images drawn blindly.
        owners_share: the part of these events' micro-credits that went to owners of their sources, by any image.
        owners_share_by_chance: the part that would, were each credit given to images drawn blindly.
        effective_contributors: over how many images an event's credit is spread, in the median.
    """

    events: int
    sources: int
    credited: int
    nearest: int
    by_chance: float
    micros_share: float
    micros_share_by_chance: float
    owners_share: float
    owners_share_by_chance: float
    effective_contributors: float

    @property
    def rate(self) -> float:
        """`source_hit_rate`: credited sources / sources."""
        return self.credited / self.sources

    @property
    def nearest_rate(self) -> float:
        """Share of events whose nearest contributor is a true source."""
        return self.nearest / self.events


def outcomes(receipts: Sequence[Receipt], sources: Mapping[str, tuple[str, ...]]) -> list[Outcome]:
    """Pair each receipt with the sources of its event, by event id."""
    return [Outcome(receipt, sources.get(receipt["event"]["id"], ())) for receipt in receipts]


def source_hits(outcomes: Sequence[Outcome], owner_by_image: Mapping[str, str]) -> SourceHits | None:
    """Count over the events with known sources; None where there is no such event.

    Args:
        outcomes: of one kind of events.
        owner_by_image: of all training images.
    """
    known = [outcome for outcome in outcomes if outcome.sources]
    if not known:
        return None
    corpus_images, owned = len(owner_by_image), Counter(owner_by_image.values())
    owners = [frozenset(owner_by_image[each] for each in outcome.sources) for outcome in known]
    micros = max(1, sum(outcome.receipt["micros"] for outcome in known))
    sources = sum(len(outcome.sources) for outcome in known)
    drawn = sum(len(outcome.sources) * len(outcome.receipt["contributors"]) for outcome in known)
    return SourceHits(
        events=len(known),
        sources=sources,
        credited=sum(len(outcome.credited_sources) for outcome in known),
        nearest=sum(outcome.nearest_is_source for outcome in known),
        by_chance=drawn / corpus_images / sources,
        micros_share=sum(outcome.micros_to_sources for outcome in known) / micros,
        micros_share_by_chance=sources / corpus_images / len(known),
        owners_share=sum(map(Outcome.micros_to_owners, known, owners)) / micros,
        owners_share_by_chance=fmean(sum(owned[owner] for owner in each) for each in owners) / corpus_images,
        effective_contributors=median(_effective(outcome.receipt) for outcome in known),
    )


def _effective(receipt: Receipt) -> float:
    return effective_contributors([entry["utility"] for entry in receipt["contributors"]])


def spread(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """Return `count` outcomes at equal steps from the best explained to the worst, both included.

    Best is whose sources earned most; where sources are unknown, whose budget is least spread out. Showing the best
    alone would flatter gmv.
    """
    ranked = sorted(outcomes, key=_merit, reverse=True)
    if len(ranked) <= count or count < 2:
        return ranked[:count]
    return [ranked[round(step * (len(ranked) - 1) / (count - 1))] for step in range(count)]


def _merit(outcome: Outcome) -> tuple[float, int, str]:
    largest = max(entry["micros"] for entry in outcome.receipt["contributors"])
    found = len(outcome.credited_sources) / len(outcome.sources) if outcome.sources else 0.0
    return found, outcome.micros_to_sources or largest, outcome.event_id
