"""`gmv ledger correct`: credits that were given wrongly, taken back by entries of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    IndexOption,
    JsonOption,
    LedgerOption,
    OwnersOption,
    ledger_file,
    load_settings,
    refuse_shared_files,
)
from gmv.cli.receipts import ReceiptsTopicOption, folders_of

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.applying_corrections import Corrected
    from gmv.settings import Settings


def correct(
    file: Annotated[
        Path, typer.Option("--file", metavar="CORRECTIONS.jsonl", help="One correction per line, see schemas/.")
    ],
    receipts: Annotated[
        Path | None,
        typer.Option(
            "--receipts",
            metavar="FILE",
            help="Where receipts of the corrections are written. Default: the file with .receipts.jsonl.",
        ),
    ] = None,
    event_receipts: Annotated[
        list[Path] | None,
        typer.Option(
            "--event-receipts",
            metavar="FILE",
            help="Receipts of the events, as `gmv replay` wrote them; may be repeated. Default: those beside the "
            "corrections or the ledger, or in this folder.",
        ),
    ] = None,
    receipts_topics: ReceiptsTopicOption = None,
    insist: Annotated[
        str | None,
        typer.Option(
            "--insist",
            metavar="REASON",
            help="Apply also what receipts of the events do not support; those of the corrections tell the reason.",
        ),
    ] = None,
    new_owner: Annotated[
        list[str] | None,
        typer.Option(
            "--new-owner",
            metavar="OWNER",
            help="A payee that neither ledger nor index nor owners file knows, and that is meant; may be repeated.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and say what would change.")] = False,
    index: IndexOption = None,
    owners: OwnersOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Apply corrections: micro-credits taken from an owner, and given to another or to nobody.

    A file is refused whole where a line is wrong, an owner has less than is taken, the event it names did not pay them
    that much, or nobody knows the payee. Safe to run again: each correction is applied once. Files may grow, and are
    never edited. Where the ledger knows a topic of Kafka, the corrections' receipts go to its topic of receipts, too.
    """
    settings = load_settings(config, ledger=ledger, index=index, owners=owners, brokers=brokers)
    if insist is not None and not insist.strip():
        raise typer.BadParameter("give a reason, for those who audit the ledger", param_hint="--insist")
    from gmv.cli.output import render
    from gmv.files.receipts import receipts_path

    receipts = receipts or receipts_path(file)
    refuse_shared_files(corrections=file, receipts=receipts, ledger=ledger_file(settings.ledger.url))
    for each in event_receipts or []:
        refuse_shared_files(corrections=file, receipts=receipts, event_receipts=each)
    from gmv.assembly.correction_receipts import CorrectionReceipts
    from gmv.operations.applying_corrections import Meant
    from gmv.operations.applying_corrections import correct as apply

    where = CorrectionReceipts(
        settings.kafka,
        receipts,
        receipts_topics or (),
        event_receipts or (),
        folders_of([file, receipts, *(event_receipts or ())], settings.ledger),
    )
    meant = Meant(insist, frozenset(new_owner or ()))
    render(apply(file, receipts, dry_run, settings.ledger, where, lambda: _listed(settings), meant), json, _view)


def _listed(settings: "Settings") -> "set[str] | None":
    """All owners of index and owners file: looked up only where the ledger does not know a payee."""
    from gmv.assembly.owners import listed_owners

    return listed_owners(settings)


def _view(corrected: "Corrected") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, table

    count, done = (corrected.pending, "would be") if corrected.dry_run else (corrected.applied, "were")
    before = f"; {corrected.already_applied:,} were before" if corrected.already_applied else ""
    insisted = f"; {corrected.insisted:,} of them insisted on" if corrected.insisted else ""
    yield f"{corrected.file}: {count:,} corrections {done} applied{insisted}{before}"
    yield table(
        None,
        ["owner", "change", "credits"],
        [
            [each.owner_id, credits_text(each.change_micros), credits_text(each.credit_micros)]
            for each in corrected.owners
        ],
        numbers=["change", "credits"],
    )
    if corrected.receipts_path is not None:
        topic = f" and in topic {corrected.receipts_topic}" if corrected.receipts_topic else ""
        yield f"their receipts are in {corrected.receipts_path}{topic}"
