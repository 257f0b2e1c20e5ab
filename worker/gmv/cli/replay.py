"""`gmv replay`: a file of events, credited."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import (
    ConfigOption,
    ImagesRootOption,
    IndexOption,
    JsonOption,
    LedgerOption,
    OwnersOption,
    ledger_file,
    load_settings,
    refuse_shared_files,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.assembly.replay import ReplaySummary


def replay(
    events: Annotated[Path, typer.Argument(metavar="EVENTS", help="JSON lines, one structured CloudEvent each.")],
    index: IndexOption = None,
    ledger: LedgerOption = None,
    receipts: Annotated[
        Path | None, typer.Option("--receipts", metavar="FILE", help="Default: EVENTS with .receipts.jsonl.")
    ] = None,
    dead_letters: Annotated[
        Path | None, typer.Option("--dead-letters", metavar="FILE", help="Default: EVENTS with .dlq.jsonl.")
    ] = None,
    owners: OwnersOption = None,
    images_root: ImagesRootOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Attribute a file of events and commit their credits, from where the ledger stands to the file's end.

    Interrupted, it goes on from there when it is run again. The ledger has to be initialised for the file first:
    `gmv ledger init --log EVENTS`. A last line without its newline may still be being written: it is not credited, and
    refused once all others are.
    """
    settings = load_settings(config, index=index, ledger=ledger, owners=owners, images_root=images_root)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.assembly.replay import replay as run
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import print_result, progress
    from gmv.files.log import describe_file
    from gmv.ledger.open import open_ledger

    receipts = receipts or events.with_suffix(".receipts.jsonl")
    dead_letters = dead_letters or events.with_suffix(".dlq.jsonl")
    refuse_shared_files(
        events=events,
        receipts=receipts,
        dead_letters=dead_letters,
        ledger=ledger_file(settings.ledger.url),
        owners=settings.owners.file,
    )
    opened = open_verified(settings)
    book = open_ledger(settings.ledger)
    lines = sum(bounds.end for bounds in describe_file(events).bounds.values())
    try:
        with progress("crediting", lines, "lines") as advance:
            summary = run(events, opened, book, receipts, dead_letters, settings, advance)
    finally:
        book.close()
    result = {
        "events": summary.events,
        "credited": summary.credited,
        "duplicates": summary.duplicates,
        "dead_letters": summary.dead_letters,
        "dead_letters_by_reason": summary.reasons,
        "first_dead_letters": [letter._asdict() for letter in summary.first_dead_letters],
        "credit_micros": summary.micros,
        "already_done": summary.already_done,
        "seconds": summary.seconds,
        "stage_seconds": summary.stages,
        "receipts_path": receipts,
        "dead_letters_path": dead_letters,
    }
    print_result(result, json, lambda: _layout(events, summary, receipts, dead_letters))


def _layout(events: Path, summary: "ReplaySummary", receipts: Path, dead_letters: Path) -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import credits_text, table

    done = table(
        f"Replayed {events}",
        ["", " "],
        [
            ["events credited", f"{summary.credited:,}"],
            ["credits", credits_text(summary.micros)],
            ["duplicates", f"{summary.duplicates:,}"],
            ["dead letters", f"{summary.dead_letters:,}"],
            ["lines done before", f"{summary.already_done:,}"],
            ["seconds", f"{summary.seconds:,.1f}"],
            ["receipts", receipts],
            ["dead letters file", dead_letters],
        ],
    )
    if not summary.dead_letters:
        return done
    reasons = sorted(summary.reasons.items(), key=lambda each: -each[1])
    first = [[f"{letter.line:,}", letter.reason, letter.detail] for letter in summary.first_dead_letters]
    return Group(
        done,
        table("Dead letters", ["reason", "lines"], [[why, f"{count:,}"] for why, count in reasons], numbers=["lines"]),
        table("The first of them", ["line", "reason", "why"], first, numbers=["line"]),
        f"all of them: gmv dlq list --file {dead_letters}",
    )
