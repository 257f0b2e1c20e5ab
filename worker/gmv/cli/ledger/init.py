"""`gmv ledger init`: make a ledger, and make a log known to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.ledger.prune import WindowOption
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings
from gmv.operations.registering import Edge

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.initialising import InitialisedLedger
    from gmv.settings import KafkaSettings
    from gmv.stream.records import LogDescription


def init(
    log: Annotated[
        Path | None, typer.Option("--log", metavar="EVENTS", help="File of events, as `gmv replay` takes it.")
    ] = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    edge: Annotated[
        Edge, typer.Option("--from", help="Where crediting begins in a log that the ledger does not know yet.")
    ] = Edge.START,
    books: Annotated[
        int | None,
        typer.Option("--books", metavar="N", help="Hashes that totals are spread over; fixed for good. Default: 1."),
    ] = None,
    identity_window: WindowOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a ledger if there is none, and give it the position where crediting of a log begins.

    Safe to run again: a partition that has a position keeps it. Partitions that were added to a topic since begin at
    their beginning, whatever --from says: nothing has credited what is in them.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.cli.output import render
    from gmv.operations.initialising import initialise

    described = _describe(log, topic, settings.kafka)
    render(initialise(described, edge, books, identity_window, settings.ledger), json, _view)


def _describe(log: Path | None, topic: str | None, kafka: "KafkaSettings") -> "LogDescription":
    from gmv.errors import InvalidSettings
    from gmv.files.log import describe_file
    from gmv.kafka.admin import describe_topic

    if (log is None) == (topic is None):
        raise InvalidSettings("name the log to be credited: either --log EVENTS, a file, or --topic NAME, of Kafka")
    return describe_topic(kafka) if log is None else describe_file(log)


def _view(ledger: "InitialisedLedger") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    url, topic = ledger.ledger_url, ledger.topic
    yield f"{url} is ready for {topic}" if ledger.registered else f"{url} knows {topic} already; nothing was changed"
    yield table(
        None,
        ["partition", "position", ""],
        [
            [number, f"{offset:,}", "registered now" if number in ledger.registered else "known before"]
            for number, offset in ledger.positions.items()
        ],
        numbers=["partition", "position"],
    )
    if ledger.added:
        added = ", ".join(map(str, ledger.added))
        yield f"Partitions added to the topic since begin at their beginning, so that no event is lost: {added}"
