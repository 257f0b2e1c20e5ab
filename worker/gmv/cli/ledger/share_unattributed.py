"""`gmv ledger share-unattributed`: what nobody was credited, shared over the whole corpus by weight."""

import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.ledger.correct import correct
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


def share_unattributed(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="Names this sharing for good, such as 2026-10.")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="CORRECTIONS.jsonl",
            help="The shares, one correction per line; made if it is not there. Default: unattributed-PERIOD.jsonl.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make the file, check everything and say what would change.")
    ] = False,
    index: IndexOption = None,
    owners: OwnersOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Share what is on the account `unattributed` among all owners of an index, in proportion to their images' weights.

    The shares are a file of corrections, which is made once and applied like any other: run again, it goes on or finds
    all done. What is unattributed later is for another period. Images that are opted out get nothing.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]+", period):
        raise typer.BadParameter("give letters, digits, dots, underscores and dashes", param_hint="PERIOD")
    settings = load_settings(config, ledger=ledger, index=index, owners=owners, brokers=brokers)
    file = file or Path(f"unattributed-{period}.jsonl")
    refuse_shared_files(corrections=file, ledger=ledger_file(settings.ledger.url), owners=settings.owners.file)
    from gmv.assembly.owners import read_ownership
    from gmv.errors import InvalidSettings
    from gmv.index.images import images_of
    from gmv.ledger.open import open_accounts
    from gmv.operations.sharing_unattributed import weights_by_owner, write_shares

    if settings.index is None:
        raise InvalidSettings("no index is named, whose owners would be given the shares: give --index FOLDER")
    images = images_of(settings.index)
    weights = weights_by_owner(images.all(), read_ownership(settings.owners, images))
    with closing(open_accounts(settings.ledger)) as accounts:
        write_shares(file, accounts, weights, period, datetime.now(UTC).isoformat(timespec="seconds"))
    correct(
        file,
        dry_run=dry_run,
        index=index,
        owners=owners,
        brokers=brokers,
        ledger=ledger,
        config=config,
        json=json,
    )
