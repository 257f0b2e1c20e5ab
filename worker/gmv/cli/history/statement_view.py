"""How statements look to people."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gmv.cli.output import credits_text, table
from gmv.statements.period import period_text
from gmv.statements.statement import Statement, StatementLine
from gmv.statements.tally import By
from gmv.wording import count_of, shortened

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.cli.history.statement import WrittenStatements


def view(statement: Statement) -> "Iterator[str | ConsoleRenderable]":
    """Lay out a statement: its lines, how they fit the ledger, works and corrections."""
    total = statement.total
    yield (
        f"{statement.owner_id}, {period_text(statement.since, statement.until)}: "
        f"{credits_text(total.credit_micros)} credits for {count_of(total.events, 'event')}"
    )
    yield _lines(statement)
    yield _balance(statement)
    if statement.works:
        rows = [[each.image_id, f"{each.events:,}", credits_text(each.credit_micros)] for each in statement.works]
        title = f"works: {len(rows):,} of {statement.works_credited:,} credited"
        yield table(title, ["training image", "events", "credits"], rows, numbers=["events", "credits"])
    if statement.corrections:
        yield table(
            "corrections",
            ["id", "time", "change", "event", "reason"],
            [
                [each.id, each.time or "-", credits_text(each.change_micros), each.event_id or "-", each.reason]
                for each in statement.corrections
            ],
            numbers=["change"],
        )
    if (undated := statement.without_time).events or undated.corrections:
        yield (
            f"{count_of(undated.events, 'event')} and {count_of(undated.corrections, 'correction')} tell no time and "
            f"are in no period: {credits_text(undated.credit_micros)} credits. Events in files need a "
            "CloudEvents time, corrections a time in their line"
        )
    yield from passed_over_text(statement.lines_passed_over)


def view_written(written: "WrittenStatements") -> Iterator[str]:
    """Say what a file holds."""
    yield (
        f"{written.out}: {count_of(written.rows, 'row')} of {count_of(written.owners, 'owner')}, "
        f"{credits_text(written.credit_micros)} credits in the period"
    )
    if written.without_time_micros:
        yield f"{credits_text(written.without_time_micros)} credits more tell no time; their rows say without_time"
    yield from passed_over_text(written.lines_passed_over)


def passed_over_text(places: Sequence[str]) -> Iterator[str]:
    """Name lines that are no receipts, if there are any."""
    if places:
        yield (
            f"passed over, since it is no whole receipt: {', '.join(places)}. Nothing that the ledger has committed is "
            "missing"
        )


def unreliable_text(line: StatementLine) -> str:
    """Write the share of unreliable events among those of which receipts say it."""
    return f"{line.unreliable_events / line.judged_events:.1%}" if line.judged_events else "-"


def _lines(statement: Statement) -> "ConsoleRenderable":
    no_label = "no model told" if statement.by is By.MODEL else "no time told"
    shown = [
        (no_label if each.label is None else shortened(each.label), each) for each in statement.lines if statement.by
    ]
    return table(
        None,
        [statement.by or "", "events", "for events", "corrections", "for corrections", "credits", "unreliable"],
        [
            [
                name,
                f"{line.events:,}",
                credits_text(line.event_micros),
                f"{line.corrections:,}",
                credits_text(line.correction_micros),
                credits_text(line.credit_micros),
                unreliable_text(line),
            ]
            for name, line in [*shown, ("total", statement.total)]
        ],
        numbers=["events", "for events", "corrections", "for corrections", "credits", "unreliable"],
    )


def _balance(statement: Statement) -> "ConsoleRenderable":
    rows = [
        ["before", credits_text(statement.opening_micros)],
        ["in this period", credits_text(statement.total.credit_micros)],
        ["after", credits_text(statement.later_micros)],
        ["without a time", credits_text(statement.without_time.credit_micros)],
        ["in the ledger", credits_text(statement.ledger_micros)],
    ]
    return table(None, ["", "credits"], rows, numbers=["credits"])
