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
    from gmv.kafka.receipts import receipts_topics

    return _named_or_found(files, topics, receipts_topics(settings.kafka, positions), positions, settings)


def history_with_topic(
    files: list[Path], topics: list[str], positions: "Positions", settings: "Settings"
) -> tuple[list[Path], list[str]]:
    """Return the same with the topic of the settings in place of the ledger's, unless the ledger is of files alone.

    Raises:
        EventsRefused: the ledger is of files alone, no receipts are named, and none found.
    """
    from gmv.files.receipts import is_of_files_alone

    told = [] if is_of_files_alone(positions) else [settings.kafka.receipts_topic]
    return _named_or_found(files, topics, told, positions, settings)


def _named_or_found(
    files: list[Path], topics: list[str], topics_told: list[str], positions: "Positions", settings: "Settings"
) -> tuple[list[Path], list[str]]:
    from gmv.errors import EventsRefused
    from gmv.files.receipts import files_of_corrections, files_of_events, none_beside, receipts_beside

    folders = folders_of(files, settings.ledger)
    if not files and not topics:
        files, topics = receipts_beside(sorted(files_of_events(positions)), folders), topics_told
    if not files and not topics:
        sought = none_beside(files_of_events(positions), folders)
        raise EventsRefused(f"{sought}; name one by --receipts, or a topic by --receipts-topic")
    named = {each.resolve() for each in files}
    corrections = receipts_beside(sorted(files_of_corrections(positions)), folders)
    return [*files, *(each for each in corrections if each.resolve() not in named)], topics


def folders_of(files: list[Path], ledger: "LedgerSettings") -> list[Path]:
    """Return where unnamed receipts are looked for: beside these files and the ledger's, and in this folder."""
    beside = [*files, *filter(None, [ledger_file(ledger.url)])]
    return [*(each.parent for each in beside), Path()]
