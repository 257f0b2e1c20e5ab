"""`gmv ledger verify`: see that every micro-credit is accounted for."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption, published

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.ledger.port import Accounts, Sums
    from gmv.ledger.verify import Conservation
    from gmv.operations.published import Published
    from gmv.operations.verifying import VerifiedReceipts
    from gmv.settings import KafkaSettings


def verify(
    receipts_files: ReceiptsOption = None,
    receipts_topics: ReceiptsTopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check that the owners' totals add up to what was committed and, given receipts, that these explain each total.

    Receipts have to be those of every log the ledger stands in, with no worker committing meanwhile.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers)
    from gmv.cli.output import print_result
    from gmv.errors import ConservationBroken
    from gmv.ledger.open import open_accounts
    from gmv.ledger.verify import conservation

    with closing(open_accounts(settings.ledger)) as accounts:
        conserved = conservation(accounts)
        files, topics = receipts_files or [], receipts_topics or []
        explained = _explained(accounts, conserved, files, topics, settings.kafka) if files or topics else None
        if not conserved.conserved:
            raise ConservationBroken("; ".join(conserved.complaints))
    result = {
        "ledger_url": settings.ledger.url,
        "conserved": True,
        "credit_micros": conserved.micros,
        "credited": conserved.sums.credited,
        "dead_letters": conserved.sums.dead_letters,
        "duplicates": conserved.sums.duplicates,
        "corrections": conserved.sums.corrections,
        "positions": conserved.positions,
        "offsets_uncounted": conserved.offsets_uncounted,
        "begins_unrecorded": list(conserved.begins_unrecorded),
        "receipts": explained
        and {
            "committed": explained.receipts,
            "batches": explained.batches,
            "orphan_batches": explained.orphans,
            "owners": explained.owners,
        },
    }
    print_result(result, json, lambda: _verdict(settings.ledger.url, conserved, explained))


def _explained(
    accounts: "Accounts", conserved: "Conservation", files: list[Path], topics: list[str], kafka: "KafkaSettings"
) -> "VerifiedReceipts":
    """Raise `ConservationBroken` only where nothing was committed meanwhile that could be the cause.

    Totals that do not add up are told with it: receipts name the owners, sums do not.
    """
    from gmv.cli.output import progress, watched
    from gmv.errors import ConservationBroken, Refusal

    before = accounts.positions()
    try:
        with progress("reading twice", unit="receipts") as advance:
            return _explained_at_rest(
                accounts, conserved.sums, lambda: watched(published(files, topics, kafka), advance)
            )
    except ConservationBroken as broken:
        if conserved.conserved and accounts.positions() != before:
            raise Refusal("the ledger moved on while it was read: stop its workers and verify again") from broken
        raise ConservationBroken("; ".join((*conserved.complaints, str(broken)))) from broken


def _explained_at_rest(
    accounts: "Accounts", counted: "Sums", receipts: "Callable[[], Iterator[Published]]"
) -> "VerifiedReceipts":
    from gmv.errors import ConservationBroken
    from gmv.operations.verifying import verify_receipts

    explained = verify_receipts(accounts, receipts)
    for what, entered, explaining in (
        ("events are credited", counted.credited, explained.receipts),
        ("corrections are applied", counted.corrections, explained.corrections),
    ):
        if explaining != entered:
            raise ConservationBroken(f"{entered} {what}, and {explaining} have committed receipts")
    return explained


def _verdict(url: str, conserved: "Conservation", explained: "VerifiedReceipts | None") -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import credits_text, table

    sums = conserved.sums
    rows = [
        ["credits", credits_text(conserved.micros)],
        ["events credited", f"{sums.credited:,}"],
        ["dead letters", f"{sums.dead_letters:,}"],
        ["duplicates", f"{sums.duplicates:,}"],
        ["corrections", f"{sums.corrections:,}"],
        ["partitions", f"{conserved.positions:,}"],
        ["offsets that held no record", f"{conserved.offsets_uncounted:,}"],
    ]
    if explained is not None:
        rows += [
            ["committed receipts", f"{explained.receipts:,}"],
            ["their batches", f"{explained.batches:,}"],
            ["batches never committed", f"{explained.orphans:,}"],
            ["owners explained", f"{explained.owners:,}"],
        ]
    return Group(
        f"{url}: every micro-credit is accounted for",
        table(None, ["", " "], rows, numbers=[" "]),
        *_unrecorded(conserved),
    )


def _unrecorded(conserved: "Conservation") -> "Iterator[str]":
    """Say where an older gmv did not record that crediting began: it may have passed over the first records there."""
    if conserved.begins_unrecorded and conserved.offsets_uncounted:
        yield (
            f"It is not recorded where crediting began in {', '.join(conserved.begins_unrecorded)}. If it began at an "
            "offset above 0, the offsets before it are among those that held no record"
        )
