"""`gmv ledger init`: make a ledger, and make a log known to it."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.ledger.prune import WindowOption
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings
from gmv.operations.registering import Edge

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.operations.registering import Registered
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
    from gmv.cli.output import print_result
    from gmv.ledger.open import open_accounts, open_registry
    from gmv.operations.registering import register_log

    described = _describe(log, topic, settings.kafka)
    with closing(open_registry(settings.ledger)) as registry, closing(open_accounts(settings.ledger)) as accounts:
        registry.create(books)
        if identity_window is not None:
            registry.state_window(identity_window)
        registered = register_log(described, edge, registry, accounts)
    result = {
        "ledger_url": settings.ledger.url,
        "topic": described.topic,
        "topic_id": described.topic_id,
        "positions": {str(number): offset for number, offset in registered.positions.items()},
        "registered": list(registered.new),
        "added": list(registered.added),
    }
    print_result(result, json, lambda: _registration(settings.ledger.url, described.topic, registered))


def _describe(log: Path | None, topic: str | None, kafka: "KafkaSettings") -> "LogDescription":
    from gmv.errors import InvalidSettings
    from gmv.files.log import describe_file
    from gmv.kafka.admin import describe_topic

    if (log is None) == (topic is None):
        raise InvalidSettings("name the log to be credited: either --log EVENTS, a file, or --topic NAME, of Kafka")
    return describe_topic(kafka) if log is None else describe_file(log)


def _registration(url: str, topic: str, registered: "Registered") -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import table

    said = f"{url} is ready for {topic}" if registered.new else f"{url} knows {topic} already; nothing was changed"
    added = ", ".join(map(str, registered.added))
    return Group(
        said,
        table(
            None,
            ["partition", "position", ""],
            [
                [number, f"{offset:,}", "registered now" if number in registered.new else "known before"]
                for number, offset in registered.positions.items()
            ],
            numbers=["partition", "position"],
        ),
        *(
            [f"Partitions added to the topic since begin at their beginning, so that no event is lost: {added}"]
            * bool(added)
        ),
    )
