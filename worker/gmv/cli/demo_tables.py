"""What `gmv demo` shows a person at its end."""

import shutil
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType

from gmv.cli.output import credits_text, table
from gmv.demo.outcome import spread

if TYPE_CHECKING:
    from gmv.demo.outcome import Outcome
    from gmv.demo.run import DemoResult

LEADERS: Final = 10


def lay_out(result: "DemoResult") -> RenderableType:
    """Return counts, leaderboard, one event, the checks, and where everything is."""
    best_middle_worst = spread(result.books.told, 3)
    return Group(
        _counts(result), _leaders(result), _event(best_middle_worst[1]), _checks(result), _places(result), _next(result)
    )


def _counts(result: "DemoResult") -> RenderableType:
    sums, now = result.books.sums, result.now
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(result.books.reasons.items()))
    return table(
        "What became of the events",
        ["outcome", "events", ""],
        [
            ["credited", f"{sums.credited:,}", f"{credits_text(sums.micros)} credits"],
            ["dead letters", f"{sums.dead_letters:,}", f"bad on purpose: {reasons}"],
            ["repeated", f"{sums.duplicates:,}", "sent twice on purpose, credited once"],
            ["credited by this run", f"{now.credited:,}", "" if now.events else "an earlier run had done it all"],
        ],
        numbers=["events"],
    )


def _leaders(result: "DemoResult") -> RenderableType:
    books = result.books
    return table(
        f"Who earned most ({LEADERS} of {len(books.balances):,} owners credited)",
        ["rank", "owner", "credits", "share"],
        [
            [rank, leader.owner_id, credits_text(leader.micros), f"{leader.micros / books.sums.micros:.1%}"]
            for rank, leader in enumerate(books.balances[:LEADERS], start=1)
        ],
        numbers=["rank", "credits", "share"],
    )


def _event(outcome: "Outcome") -> RenderableType:
    return table(
        f"One event explained: {outcome.event_id}, made of {' and '.join(outcome.sources)}",
        ["training image", "owner", "distance", "share", "credits", "true source"],
        [
            [
                entry["image_id"],
                entry["owner_id"],
                f"{entry['distance']:.4f}",
                f"{entry['utility']:.1%}",
                credits_text(entry["micros"]),
                "yes" if entry["image_id"] in outcome.sources else "",
            ]
            for entry in outcome.receipt["contributors"]
        ],
        numbers=["distance", "share", "credits"],
    )


def _checks(result: "DemoResult") -> RenderableType:
    books, hits = result.books, result.hits
    return table(
        "Checks",
        ["what", "found", ""],
        [
            ["credits", "conserved" if books.conserved else "NOT CONSERVED", _sums(result)],
            [
                "true sources credited",
                f"{hits.rate:.1%}",
                f"{hits.credited:,} of {hits.sources:,}; as many drawn blindly would meet {hits.by_chance:.1%}",
            ],
            [
                "nearest is a true source",
                f"{hits.nearest_rate:.1%}",
                f"{hits.nearest:,} of {hits.events:,} events",
            ],
        ],
    )


def _sums(result: "DemoResult") -> str:
    books = result.books
    on_accounts = sum(balance.micros for balance in books.balances)
    return (
        f"{books.explanation.micros:,} micro-credits in {len(books.told):,} receipts, {on_accounts:,} on "
        f"{len(books.balances):,} accounts, {books.sums.micros:,} by the ledger's count"
    )


def _places(result: "DemoResult") -> RenderableType:
    folder = result.folder
    return table(
        f"Where everything is ({result.seconds:,.0f} s)",
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
    )


def _next(result: "DemoResult") -> RenderableType:
    folder = result.folder
    command = "gmv" if shutil.which("gmv") else sys.argv[0]  # as it was typed, where no environment is activated
    return table(
        "What next",
        ["to", "do"],
        [
            ["see pictures", f"open {folder.report} in a browser"],
            ["read the accounts", f"{command} credits top --ledger {folder.ledger_url}"],
            ["attribute an image of yours", f"{command} attribute --index {folder.index} IMAGE.png"],
            ["use your own training images", f"{command} demo --corpus IMAGES.parquet --out another-folder"],
            ["see it on Kafka and Redis", "make demo-kafka"],
        ],
    )
