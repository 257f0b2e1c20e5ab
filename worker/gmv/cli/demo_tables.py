"""What `gmv demo` shows a person at its end."""

import shutil
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.text import Text

from gmv.cli.output import credits_text, table
from gmv.demo.source_hits import spread

if TYPE_CHECKING:
    from gmv.demo.run import DemoResult
    from gmv.demo.source_hits import Outcome

LEADERS: Final = 10


Part = tuple[Text, RenderableType]
"""A title and its table."""


def lay_out(result: "DemoResult") -> RenderableType:
    """Return counts, leaderboard, one event, the checks, and where everything is."""
    best_middle_worst = spread(result.books.outcomes, 3)
    return Group(
        *_counts(result),
        *_leaders(result),
        *_event(best_middle_worst[1]),
        *_checks(result),
        *_places(result),
        *_next(result),
    )


def _titled(title: str, laid_out: RenderableType) -> Part:
    """A title beside its table may be wider than it; rich would fold it."""
    return Text(f"\n{title}", style="bold"), laid_out


def _counts(result: "DemoResult") -> Part:
    sums, now = result.books.sums, result.now
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(result.books.reasons.items()))
    rows = [
        ["credited", f"{sums.credited:,}", f"{credits_text(sums.micros)} credits"],
        ["dead letters", f"{sums.dead_letters:,}", f"bad on purpose: {reasons}"],
        ["repeated", f"{sums.duplicates:,}", "sent twice on purpose, credited once"],
        ["credited by this run", f"{now.credited:,}", "" if now.events else "an earlier run did it all"],
    ]
    return _titled("What became of the events", table(None, ["outcome", "events", ""], rows, numbers=["events"]))


def _leaders(result: "DemoResult") -> Part:
    books = result.books
    rows = [
        [rank, leader.owner_id, credits_text(leader.micros), f"{leader.micros / books.sums.micros:.1%}"]
        for rank, leader in enumerate(books.balances[:LEADERS], start=1)
    ]
    return _titled(
        f"Who earned most, of {len(books.balances):,} owners credited",
        table(None, ["rank", "owner", "credits", "share"], rows, numbers=["rank", "credits", "share"]),
    )


def _event(outcome: "Outcome") -> Part:
    rows = [
        [
            entry["image_id"],
            entry["owner_id"],
            f"{entry['distance']:.4f}",
            f"{entry['utility']:.1%}",
            credits_text(entry["micros"]),
            "yes" if entry["image_id"] in outcome.sources else "",
        ]
        for entry in outcome.receipt["contributors"]
    ]
    return _titled(
        f"One event explained: {outcome.event_id}, made of {', '.join(outcome.sources)}",
        table(
            None,
            ["training image", "owner", "distance", "share", "credits", "source"],
            rows,
            numbers=["distance", "share", "credits"],
        ),
    )


def _checks(result: "DemoResult") -> Part:
    books, hits = result.books, result.hits
    on_accounts = sum(balance.micros for balance in books.balances)
    rows = [
        ["micro-credits in receipts", f"{books.explanation.micros:,}", f"{len(books.outcomes):,} receipts"],
        ["micro-credits on accounts", f"{on_accounts:,}", f"{len(books.balances):,} owners"],
        ["by the ledger's own count", f"{books.sums.micros:,}", "all conserved" if books.conserved else "NOT THE SAME"],
        ["true sources credited", f"{hits.rate:.1%}", f"{hits.credited:,} of {hits.sources:,}"],
        ["as many drawn blindly", f"{hits.by_chance:.1%}", ""],
        ["nearest is a true source", f"{hits.nearest_rate:.1%}", f"{hits.nearest:,} of {hits.events:,} events"],
    ]
    return _titled("Checks", table(None, ["what", "found", ""], rows, numbers=["found"]))


def _places(result: "DemoResult") -> Part:
    folder = result.folder
    return _titled(
        f"Where everything is (made or checked in {result.seconds:,.0f} s)",
        table(
            None,
            ["what", "where"],
            [
                ["report with pictures", folder.report],
                ["ledger", folder.ledger_url],
                ["receipts", folder.receipts],
                ["dead letters", folder.dead_letters],
                ["events", folder.events],
                ["their true sources", folder.sources],
                ["index", folder.index],
            ],
        ),
    )


def _next(result: "DemoResult") -> Part:
    folder = result.folder
    command = "gmv" if shutil.which("gmv") else sys.argv[0]  # as it was typed, where no environment is activated
    return _titled(
        "What next",
        table(
            None,
            ["to", "do"],
            [
                ["see pictures", f"open {folder.report} in a browser"],
                ["read the accounts", f"{command} credits top --ledger {folder.ledger_url}"],
                ["attribute an image of yours", f"{command} attribute --index {folder.index} IMAGE.png"],
                ["use your own training images", f"{command} demo --corpus IMAGES.parquet --out another-folder"],
                ["see it on Kafka and Redis", "make demo-kafka"],
            ],
        ),
    )
