"""`gmv ledger verify`: see that every micro-credit is accounted for."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption, published

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.auditing import VerifiedLedger
    from gmv.settings import Settings


def verify(
    receipts_files: ReceiptsOption = None,
    receipts_topics: ReceiptsTopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check that the owners' totals add up to what was committed and, given receipts, that these explain each total.

    Receipts have to be those of every log the ledger has a position in, with no worker committing meanwhile.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers)
    from gmv.cli.output import render

    render(_verified(receipts_files or [], receipts_topics or [], settings), json, _view)


def _verified(files: list[Path], topics: list[str], settings: "Settings") -> "VerifiedLedger":
    from gmv.cli.output import progress
    from gmv.ledger.open import open_accounts
    from gmv.operations.auditing import verify_ledger
    from gmv.operations.watching import watched

    with closing(open_accounts(settings.ledger)) as accounts:
        if not files and not topics:
            return verify_ledger(settings.ledger.url, accounts, None)
        with progress("reading twice", unit="receipts") as advance:
            return verify_ledger(
                settings.ledger.url, accounts, lambda: watched(published(files, topics, settings.kafka), advance)
            )


def _view(verified: "VerifiedLedger") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, table

    rows = [
        ["credits", credits_text(verified.credit_micros)],
        ["events credited", f"{verified.credited:,}"],
        ["dead letters", f"{verified.dead_letters:,}"],
        ["duplicates", f"{verified.duplicates:,}"],
        ["corrections", f"{verified.corrections:,}"],
        ["partitions", f"{verified.positions:,}"],
        ["offsets that held no record", f"{verified.offsets_uncounted:,}"],
    ]
    if (receipts := verified.receipts) is not None:
        rows += [
            ["committed receipts", f"{receipts.committed:,}"],
            ["their batches", f"{receipts.batches:,}"],
            ["batches never committed", f"{receipts.orphan_batches:,}"],
            ["owners explained", f"{receipts.owners:,}"],
        ]
    yield f"{verified.ledger_url}: every micro-credit is accounted for"
    yield table(None, ["", " "], rows, numbers=[" "])
    if verified.begins_unrecorded and verified.offsets_uncounted:
        # An older gmv did not record where crediting began: it may have passed over the first records there.
        yield (
            f"It is not recorded where crediting began in {', '.join(verified.begins_unrecorded)}. If it began at an "
            "offset above 0, the offsets before it are among those that held no record"
        )
