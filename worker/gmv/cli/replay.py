"""`gmv replay`: a file of events, credited."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import (
    ConfigOption,
    CopiesOption,
    EvidenceOption,
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
    from rich.console import ConsoleRenderable

    from gmv.assembly.replay import DeadLetterLine, ReplaySummary
    from gmv.errors import Reason
    from gmv.monitoring.catalogue import Stage


@dataclass(frozen=True, slots=True)
class Replayed:
    """What `gmv replay` did, or found done: a `ReplaySummary`, and the files that it is about."""

    events: int
    credited: int
    duplicates: int
    dead_letters: int
    dead_letters_by_reason: "Mapping[Reason, int]"
    first_dead_letters: "tuple[DeadLetterLine, ...]"
    credit_micros: int
    unattributed_micros: int
    unreliable: int
    already_done: int
    seconds: float
    stage_seconds: "Mapping[Stage, float]"
    receipts_path: Path
    dead_letters_path: Path
    events_path: Path
    stopped: str | None


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
    copies: CopiesOption = None,
    images_root: ImagesRootOption = None,
    evidence: EvidenceOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Attribute a file of events and commit their credits, from the ledger's position to the file's end.

    Interrupted, it goes on from there when it is run again. The ledger has to be initialised for the file first:
    `gmv ledger init --log EVENTS`. A last line without its newline may still be being written: it is not credited, and
    refused once all others are.

    What was done is printed also where it stops before the file's end. Exits with 32 if all records are dead letters.
    """
    settings = load_settings(
        config, index=index, ledger=ledger, owners=owners, images_root=images_root, copies=copies, evidence=evidence
    )
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.assembly.replay import ReplaySummary
    from gmv.assembly.replay import replay as run
    from gmv.cli.indexes import open_verified, warn_of_undated_copies
    from gmv.cli.output import progress, render
    from gmv.files.log import describe_file
    from gmv.files.receipts import receipts_path
    from gmv.ledger.open import open_ledger

    receipts = receipts or receipts_path(events)
    dead_letters = dead_letters or events.with_suffix(".dlq.jsonl")
    refuse_shared_files(
        events=events,
        receipts=receipts,
        dead_letters=dead_letters,
        ledger=ledger_file(settings.ledger.url),
        owners=settings.owners.file,
    )
    lines = sum(bounds.end for bounds in describe_file(events).bounds.values())
    opened = open_verified(settings)
    warn_of_undated_copies(opened, settings)
    summary = ReplaySummary()
    try:
        with closing(open_ledger(settings.ledger)) as book, progress("crediting", lines, "lines") as advance:
            run(events, opened, book, receipts, dead_letters, settings, advance, summary)
    finally:
        if summary.is_begun:
            render(_result(summary, events, receipts, dead_letters), json, _view)
    _refuse_dead_letters_alone(summary, events)


def _refuse_dead_letters_alone(summary: "ReplaySummary", events: Path) -> None:
    from gmv.errors import TooManyDeadLetters

    if summary.dead_letters and not (summary.credited or summary.duplicates):
        raise TooManyDeadLetters(
            f"{events}: nothing was credited, all {summary.dead_letters:,} records are dead letters; mend what their "
            "reasons name, and send them again"
        )


def _result(summary: "ReplaySummary", events: Path, receipts: Path, dead_letters: Path) -> Replayed:
    return Replayed(
        events=summary.events,
        credited=summary.credited,
        duplicates=summary.duplicates,
        dead_letters=summary.dead_letters,
        dead_letters_by_reason=summary.reasons,
        first_dead_letters=tuple(summary.first_dead_letters),
        credit_micros=summary.micros,
        unattributed_micros=summary.unattributed_micros,
        unreliable=summary.unreliable,
        already_done=summary.already_done,
        seconds=summary.seconds,
        stage_seconds=summary.stages,
        receipts_path=receipts,
        dead_letters_path=dead_letters,
        events_path=events,
        stopped=summary.stopped,
    )


def _view(replayed: Replayed) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, facts, table

    yield facts(
        f"Replayed {replayed.events_path}",
        [
            ("events credited", replayed.credited),
            ("credits", credits_text(replayed.credit_micros)),
            ("of them unattributed", credits_text(replayed.unattributed_micros)),
            ("unreliable events", replayed.unreliable),
            ("duplicates", replayed.duplicates),
            ("dead letters", replayed.dead_letters),
            ("lines done before", replayed.already_done),
            ("seconds", f"{replayed.seconds:,.1f}"),
            ("receipts", replayed.receipts_path),
            ("dead letters file", replayed.dead_letters_path),
            *([("stopped before the end", replayed.stopped)] if replayed.stopped else []),
        ],
    )
    if not replayed.dead_letters:
        return
    reasons = sorted(replayed.dead_letters_by_reason.items(), key=lambda each: -each[1])
    first = [[f"{each.line:,}", each.reason, each.detail] for each in replayed.first_dead_letters]
    yield table("Dead letters", ["reason", "lines"], [[why, f"{count:,}"] for why, count in reasons], numbers=["lines"])
    yield table("The first of them", ["line", "reason", "why"], first, numbers=["line"])
    yield f"all of them: gmv dlq list --file {replayed.dead_letters_path}"
