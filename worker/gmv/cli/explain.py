"""`gmv explain`: what became of one event, and why."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption, published

if TYPE_CHECKING:
    from gmv.ledger.port import Accounts, Known, Ledger
    from gmv.settings import LedgerSettings, Settings
    from gmv.stream.dead_letters import FoundDeadLetter


def explain(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="CloudEvents id of the event.")],
    source: Annotated[
        str | None, typer.Option("--source", metavar="SOURCE", help="CloudEvents source; any, if none is named.")
    ] = None,
    receipts_files: ReceiptsOption = None,
    receipts_topics: ReceiptsTopicOption = None,
    dead_letters: Annotated[
        list[Path] | None,
        typer.Option("--dead-letters", metavar="FILE", help="Those that `gmv replay` wrote; may be repeated."),
    ] = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show for which images an event was credited and by what, and whether the ledger confirms it.

    Without files, receipts and dead letters are those of the topic. Exits with 1 if nothing is known of the event.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    from gmv.cli.event_explanations import view
    from gmv.cli.output import progress, render
    from gmv.operations.explaining import explain_event
    from gmv.operations.explanation import explained
    from gmv.operations.watching import watched

    files, topics = receipts_files or [], receipts_topics or []
    if not files and not topics:
        topics = [settings.kafka.receipts_topic]
    with _asking(settings.ledger) as (accounts, credited):
        positions = accounts.positions()
        with progress("reading", unit="receipts and dead letters") as advance:
            explanations = explain_event(
                event_id,
                source,
                positions,
                watched(published(files, topics, settings.kafka), advance),
                watched(_dead_letters(dead_letters or [], bool(topics), settings), advance),
                credited,
            )
    render(explained(settings.ledger.url, event_id, source, explanations), json, view)
    if not explanations:
        raise typer.Exit(1)


@contextmanager
def _asking(settings: "LedgerSettings") -> "Iterator[tuple[Accounts, Callable[[bytes], Iterator[Known]]]]":
    """Give a ledger's accounts, and what knows where it has credited an event: once for each of its books."""
    from gmv.ledger.open import open_accounts, open_ledger

    with ExitStack() as stack:
        accounts: Accounts = stack.enter_context(closing(open_accounts(settings)))
        ledger: Ledger = stack.enter_context(closing(open_ledger(settings)))

        def credited(identity: bytes) -> "Iterator[Known]":
            for book in range(accounts.books()):
                yield from ledger.known(book, [identity]).values()  # partition p is in book p mod their number

        yield accounts, credited


def _dead_letters(files: list[Path], is_kafka_read: bool, settings: "Settings") -> "Iterator[FoundDeadLetter]":
    """Yield those of the files; where none is named, those of Kafka, if its receipts are read, too."""
    from gmv.cli.dlq.choice import dead_letters_of

    for file in files:
        yield from dead_letters_of(file, settings.kafka)
    if is_kafka_read and not files:
        yield from dead_letters_of(None, settings.kafka)
