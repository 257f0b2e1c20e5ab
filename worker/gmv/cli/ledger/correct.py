"""`gmv ledger correct`: credits that were given wrongly, taken back by entries of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, ledger_file, load_settings, refuse_shared_files

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.applying_corrections import Corrected
    from gmv.operations.correcting import Publish


def correct(
    file: Annotated[
        Path, typer.Option("--file", metavar="CORRECTIONS.jsonl", help="One correction per line, see schemas/.")
    ],
    receipts: Annotated[
        Path | None, typer.Option("--receipts", metavar="FILE", help="Default: the file with .receipts.jsonl.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and say what would change.")] = False,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Apply corrections: micro-credits taken from an owner, and given to another or to nobody.

    A file is refused whole where a line is wrong or an owner has less than is taken. Safe to run again: each correction
    is applied once. Files may grow, and are never edited. `gmv ledger verify` wants the receipts that are written here.
    """
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.output import render
    from gmv.operations import applying_corrections

    receipts = receipts or file.with_suffix(".receipts.jsonl")
    refuse_shared_files(corrections=file, receipts=receipts, ledger=ledger_file(settings.ledger.url))
    render(applying_corrections.correct(file, receipts, dry_run, settings.ledger, _publishing), json, _view)


@contextmanager
def _publishing(receipts: Path) -> "Iterator[Publish]":
    from gmv.files.outbox import append_lines, open_whole

    with open_whole(receipts) as lines:
        yield partial(append_lines, lines)


def _view(corrected: "Corrected") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, table

    count, done = (corrected.pending, "would be") if corrected.dry_run else (corrected.applied, "were")
    before = f"; {corrected.already_applied:,} were before" if corrected.already_applied else ""
    yield f"{corrected.file}: {count:,} corrections {done} applied{before}"
    yield table(
        None,
        ["owner", "change", "credits"],
        [
            [each.owner_id, credits_text(each.change_micros), credits_text(each.credit_micros)]
            for each in corrected.owners
        ],
        numbers=["change", "credits"],
    )
