"""What `gmv demo` shows a person at its end."""

import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gmv.cli.output import credits_text, distance_text, heading, table
from gmv.demo.figures import DemoCopies, DemoFigures

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable


def view(figures: DemoFigures) -> "Iterator[str | ConsoleRenderable]":
    """Lay out counts, leaderboard, one event, the checks, and where everything is."""
    yield from _titled("What became of the events", _counts(figures))
    yield from _titled(f"Who earned most, of {figures.owners:,} owners credited", _leaders(figures))
    yield from _titled(
        f"One event explained: {figures.example.event_id}, made of {', '.join(figures.example.sources)}",
        _example(figures),
    )
    yield from _titled(f"Where credit went, at temperature {figures.temperature:g}", _credit(figures))
    yield from _titled("Checks", _checks(figures))
    yield from _titled(f"Where everything is (made or checked in {figures.seconds:,.0f} s)", _places(figures))
    yield from _titled("What next", _next(figures))


def _titled(title: str, below: "ConsoleRenderable") -> "Iterator[str | ConsoleRenderable]":
    yield ""
    yield heading(title)
    yield below


def _counts(figures: DemoFigures) -> "ConsoleRenderable":
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(figures.dead_letters_by_reason.items()))
    rows = [
        ["credited", f"{figures.credited:,}", f"{credits_text(figures.credit_micros)} credits"],
        ["dead letters", f"{figures.dead_letters:,}", f"bad on purpose: {reasons}"],
        ["repeated", f"{figures.duplicates:,}", "sent twice on purpose, credited once"],
        [
            "credited by this run",
            f"{figures.credited_now:,}",
            "" if figures.credited_now else "earlier runs did it all",
        ],
    ]
    return table(None, ["outcome", "events", ""], rows, numbers=["events"])


def _leaders(figures: DemoFigures) -> "ConsoleRenderable":
    rows = [
        [rank, each.owner_id, credits_text(each.credit_micros), f"{each.credit_micros / figures.credit_micros:.1%}"]
        for rank, each in enumerate(figures.leaders, start=1)
    ]
    return table(None, ["rank", "owner", "credits", "share"], rows, numbers=["rank", "credits", "share"])


def _example(figures: DemoFigures) -> "ConsoleRenderable":
    rows = [
        [
            each.image_id,
            each.owner_id,
            distance_text(each.distance, each.mirrored),
            f"{each.utility:.1%}",
            credits_text(each.credit_micros),
            "yes" if each.is_source else "",
        ]
        for each in figures.example.contributors
    ]
    return table(
        None,
        ["training image", "owner", "distance", "share", "credits", "source"],
        rows,
        numbers=["distance", "share", "credits"],
    )


def _credit(figures: DemoFigures) -> "ConsoleRenderable":
    """Of each kind of events, beside what images drawn blindly would have."""
    kinds: list[tuple[str, DemoFigures | DemoCopies]] = [(f"{figures.checks.events:,} remixes", figures)]
    if (copies := figures.altered_copies) is not None:
        kinds.append((f"{copies.events:,} altered copies", copies))
    rows = [
        [
            name,
            f"{of.credit_on_true_owners:.1%}",
            f"{of.chance.owners:.1%}",
            f"{of.credit_on_true_sources:.1%}",
            f"{of.chance.sources:.2%}",
            f"{of.effective_contributors:.2f}",
        ]
        for name, of in kinds
    ]
    columns = ["on true owners", "by chance", "on true sources", "by chance ", "effective contributors"]
    return table(None, ["credit of", *columns], rows, numbers=columns)


def _checks(figures: DemoFigures) -> "ConsoleRenderable":
    checks, all_the_same = figures.checks, "all conserved" if figures.conserved else "NOT THE SAME"
    credited, nearest = f"{figures.source_hit_rate:.1%}", f"{figures.nearest_is_source_rate:.1%}"
    rows = [
        ["micro-credits in receipts", f"{checks.receipt_micros:,}", f"{checks.receipts:,} receipts"],
        ["micro-credits on accounts", f"{checks.account_micros:,}", f"{figures.owners:,} owners"],
        ["by the ledger's own count", f"{figures.credit_micros:,}", all_the_same],
        ["true sources credited", credited, f"{checks.sources_credited:,} of {checks.sources:,}"],
        ["as many drawn blindly", f"{figures.source_hit_rate_by_chance:.1%}", ""],
        ["nearest is a true source", nearest, f"{checks.nearest_is_source:,} of {checks.events:,} events"],
    ]
    return table(None, ["what", "found", ""], rows, numbers=["found"])


def _places(figures: DemoFigures) -> "ConsoleRenderable":
    return table(
        None,
        ["what", "where"],
        [
            ["report with pictures", figures.report_path],
            ["ledger", figures.ledger_url],
            ["receipts", figures.receipts_path],
            ["dead letters", figures.dead_letters_path],
            ["events", figures.events_path],
            ["their true sources", figures.sources_path],
            ["index", figures.index_path],
        ],
    )


def _next(figures: DemoFigures) -> "ConsoleRenderable":
    command = "gmv" if shutil.which("gmv") else sys.argv[0]  # as it was typed, where no environment is activated
    return table(
        None,
        ["to", "do"],
        [
            ["see pictures", f"open {figures.report_path} in a browser"],
            ["read the accounts", f"{command} credits top --ledger {figures.ledger_url}"],
            ["attribute an image of yours", f"{command} attribute --index {figures.index_path} IMAGE.png"],
            ["use your own training images", f"{command} demo --corpus IMAGES.parquet --out another-folder"],
            ["see it on Kafka and Redis", "make demo-kafka"],
        ],
    )
