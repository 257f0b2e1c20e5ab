"""Receipts that commands read: the options that name them, and all of them one after the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ledger_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gmv.operations.published import Published
    from gmv.settings import KafkaSettings, LedgerSettings

ReceiptsOption = Annotated[
    list[Path] | None,
    typer.Option("--receipts", metavar="FILE", help="Receipts that `gmv replay` wrote; may be repeated."),
]
ReceiptsTopicOption = Annotated[
    list[str] | None,
    typer.Option("--receipts-topic", metavar="NAME", help="The same from Kafka; may be repeated."),
]


def published(files: list[Path], topics: list[str], kafka: "KafkaSettings") -> "Iterator[Published]":
    """Yield all receipts of the files, then those of the topics."""
    from gmv.files.receipts import receipts_in

    for path in files:
        yield from receipts_in(path)
    if topics:
        from gmv.kafka.receipts import receipts_in_topic

        for topic in topics:
            yield from receipts_in_topic(kafka, topic)


def folders_of(files: list[Path], ledger: "LedgerSettings") -> list[Path]:
    """Return where unnamed receipts are looked for: beside these files and the ledger's, and in this folder."""
    beside = [*files, *filter(None, [ledger_file(ledger.url)])]
    return [*(each.parent for each in beside), Path()]
