"""Receipts that commands read: the options that name them, and all of them one after the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ledger_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gmv.operations.chain import Positions
    from gmv.operations.published import Published
    from gmv.settings import KafkaSettings, LedgerSettings, Settings

ReceiptsOption = Annotated[
    list[Path] | None,
    typer.Option("--receipts", metavar="FILE", help="Receipts that `gmv replay` wrote; may be repeated."),
]
ReceiptsTopicOption = Annotated[
    list[str] | None,
    typer.Option("--receipts-topic", metavar="NAME", help="The same from Kafka; may be repeated."),
]


def published(files: list[Path], topics: list[str], kafka: "KafkaSettings") -> "Iterator[Published]":
    """Yield all receipts of the topics, which know when each was published, then those of the files."""
    from gmv.files.receipts import receipts_in

    if topics:
        from gmv.kafka.receipts import receipts_in_topic

        for topic in topics:
            yield from receipts_in_topic(kafka, topic)
    for path in files:
        yield from receipts_in(path)


def whole_history(
    files: list[Path], topics: list[str], positions: "Positions", settings: "Settings"
) -> tuple[list[Path], list[str]]:
    """Return where the receipts of all logs of a ledger are: what is named, or else found, and those of corrections.

    Raises:
        EventsRefused: nothing is named, and nothing found.
    """
    from gmv.errors import EventsRefused
    from gmv.files.receipts import files_of_corrections, files_of_events, receipts_beside

    folders = folders_of(files, settings.ledger)
    if not files and not topics:
        from gmv.kafka.receipts import receipts_topics

        files = receipts_beside(sorted(files_of_events(positions)), folders)
        topics = receipts_topics(settings.kafka, positions)
    if not files and not topics:
        raise EventsRefused(
            "the ledger knows no topic of Kafka, and beside it is no receipts file of its events; name one by "
            "--receipts, or a topic by --receipts-topic"
        )
    named = {each.resolve() for each in files}
    corrections = receipts_beside(sorted(files_of_corrections(positions)), folders)
    return [*files, *(each for each in corrections if each.resolve() not in named)], topics


def folders_of(files: list[Path], ledger: "LedgerSettings") -> list[Path]:
    """Return where unnamed receipts are looked for: beside these files and the ledger's, and in this folder."""
    beside = [*files, *filter(None, [ledger_file(ledger.url)])]
    return [*(each.parent for each in beside), Path()]
