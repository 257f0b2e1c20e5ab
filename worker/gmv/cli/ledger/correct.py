"""`gmv ledger correct`: credits that were given wrongly, taken back by entries of their own."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, ledger_file, load_settings, refuse_shared_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from gmv.operations.correcting import CorrectionPlan


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
    from gmv.cli.output import print_result
    from gmv.files.outbox import append_lines, open_whole
    from gmv.ledger.open import open_accounts, open_ledger, open_registry
    from gmv.operations.correcting import apply_corrections, plan_corrections
    from gmv.operations.correction_file import read_corrections
    from gmv.valuation.correction import net

    receipts = receipts or file.with_suffix(".receipts.jsonl")
    refuse_shared_files(corrections=file, receipts=receipts, ledger=ledger_file(settings.ledger.url))
    told = read_corrections(file)
    with closing(open_ledger(settings.ledger)) as opened, closing(open_accounts(settings.ledger)) as accounts:
        plan = plan_corrections(told, opened, accounts)
        if not dry_run:
            with closing(open_registry(settings.ledger)) as registry, open_whole(receipts) as lines:
                apply_corrections(plan, opened, registry, partial(append_lines, lines))
        total = net(plan.pending)
        changes = total.credits | {owner_id: -micros for owner_id, micros in total.debits.items()}
        totals = accounts.totals(sorted(changes))
    after = {
        owner_id: totals.get(owner_id, 0) + (change if dry_run else 0) for owner_id, change in sorted(changes.items())
    }
    result = {
        "file": file,
        "dry_run": dry_run,
        "corrections": len(told.corrections),
        "applied": 0 if dry_run else len(plan.pending),
        "pending": len(plan.pending) if dry_run else 0,
        "already_applied": plan.already_applied,
        "withdrawn_micros": -sum(changes.values()),
        "owners": [
            {"owner_id": owner_id, "change_micros": changes[owner_id], "credit_micros": micros}
            for owner_id, micros in after.items()
        ],
        "receipts_path": None if dry_run else receipts,
    }
    print_result(result, json, lambda: _layout(plan, changes, after, dry_run))


def _layout(
    plan: "CorrectionPlan", changes: "Mapping[str, int]", after: "Mapping[str, int]", dry_run: bool
) -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import credits_text, table

    done = f"{len(plan.pending):,} corrections {'would be' if dry_run else 'were'} applied"
    before = f"; {plan.already_applied:,} were before" if plan.already_applied else ""
    return Group(
        f"{plan.file.path}: {done}{before}",
        table(
            None,
            ["owner", "change", "credits"],
            [[owner_id, credits_text(changes[owner_id]), credits_text(micros)] for owner_id, micros in after.items()],
            numbers=["change", "credits"],
        ),
    )
