"""The report: one HTML file that needs nothing but itself, for anyone who wants to see what was credited and why.

Everything comes from receipts, the ledger's own totals and the corpus, so what the report shows is what was
committed. Pictures are data URIs, there is no script, and a content security policy forbids every request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gmv.demo.source_hits import Outcome, SourceHits, spread
from gmv.ledger.port import Balance, Sums
from gmv.pages.environment import page_environment
from gmv.pages.thumbnails import Thumbnail
from gmv.valuation.receipt import changes_of

FEATURED: Final = 12  # events shown with all of their contributors
LISTED_MAX: Final = 500  # rows of the table of the rest; a browser is slow with more pictures
LEADERS: Final = 15


@dataclass(frozen=True, slots=True)
class Story:
    """What a report is made of.

    Attributes:
        outcomes: the committed events, in the order of the log.
        hits: how well known sources of the remixes were credited, None where no sources are known.
        balances: every owner's total, as the ledger has it.
        sums: the ledger's own counts.
        images_by_owner: number of training images of each owner.
        generated: each event's image, by event id; an event may have none.
        training: the training images that `pictured` names, by image id.
        candidates: M, training images recalled per event.
        facts: what it was computed from and where it lies: (name, value), in the order shown.
        copies: the same of altered copies, None where there are none.
    """

    outcomes: Sequence[Outcome]
    hits: SourceHits | None
    balances: Sequence[Balance]
    sums: Sums
    images_by_owner: Mapping[str, int]
    generated: Mapping[str, Thumbnail]
    training: Mapping[str, Thumbnail]
    candidates: int
    facts: Sequence[tuple[str, str]] = field(default=())
    copies: SourceHits | None = None


@dataclass(frozen=True, slots=True)
class Leader:
    """A row of the leaderboard.

    `share` and `share_of_images` are in [0, 1], of all credits and of the corpus; `events` are those that paid.
    """

    rank: int
    owner_id: str
    micros: int
    share: float
    images: int
    share_of_images: float
    events: int


def shown(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Return the events shown with all of their contributors, and those listed in a row each, in order of the log."""
    featured = spread(outcomes, FEATURED)
    chosen = {outcome.event_id for outcome in featured}
    return featured, [outcome for outcome in outcomes if outcome.event_id not in chosen][:LISTED_MAX]


def pictured(outcomes: Sequence[Outcome]) -> frozenset[str]:
    """Return the ids of the training images that a report of these outcomes shows."""
    featured, listed = shown(outcomes)
    image_ids = {image_id for outcome in featured + listed for image_id in outcome.sources}
    image_ids |= {entry["image_id"] for outcome in featured for entry in outcome.receipt["contributors"]}
    return frozenset(image_ids | {outcome.receipt["contributors"][0]["image_id"] for outcome in listed})


def leaders(story: Story) -> list[Leader]:
    """Return all owners that earned anything, the highest total first, ties by owner id."""
    events: dict[str, int] = {}
    for outcome in story.outcomes:
        for owner_id in {owner_id for owner_id, _micros in changes_of(outcome.receipt)}:
            events[owner_id] = events.get(owner_id, 0) + 1
    corpus_images = sum(story.images_by_owner.values())
    ranked = sorted(story.balances, key=lambda balance: (-balance.micros, balance.owner_id))
    return [
        Leader(
            rank=rank,
            owner_id=balance.owner_id,
            micros=balance.micros,
            share=balance.micros / max(1, story.sums.micros),
            images=story.images_by_owner.get(balance.owner_id, 0),
            share_of_images=story.images_by_owner.get(balance.owner_id, 0) / max(1, corpus_images),
            events=events.get(balance.owner_id, 0),
        )
        for rank, balance in enumerate(ranked, start=1)
    ]


def render(story: Story) -> str:
    """Return the report's HTML. Every id and path in it is escaped."""
    featured, listed = shown(story.outcomes)
    ranked = leaders(story)
    return (
        page_environment("gmv.demo")
        .get_template("report.html.j2")
        .render(
            story=story,
            featured=featured,
            listed=listed,
            unlisted=len(story.outcomes) - len(featured) - len(listed),
            leaders=ranked[:LEADERS],
            followers=ranked[LEADERS:],
            share_max=max((max(leader.share, leader.share_of_images) for leader in ranked), default=1.0),
            balances_sum=sum(balance.micros for balance in story.balances),
            receipts_sum=sum(outcome.receipt["micros"] for outcome in story.outcomes),
            corpus_images=sum(story.images_by_owner.values()),
            temperatures=sorted({outcome.receipt["temperature"] for outcome in story.outcomes}),
        )
    )
