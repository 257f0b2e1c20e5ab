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
    """Show for which images an event was credited and by what, and whether the ledger vouches for it.

    Without files, receipts and dead letters are those of the topic. Exits with 1 if nothing is known of the event.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    from gmv.cli.event_explanations import layout, plain
    from gmv.cli.output import print_result, progress, watched
    from gmv.operations.explaining import explain_event

    files, topics, letters = receipts_files or [], receipts_topics or [], dead_letters or []
    if not files and not topics:
        topics = [settings.kafka.receipts_topic]
    with _asking(settings.ledger) as (accounts, credited):
        standing = accounts.positions()
        with progress("reading", unit="receipts and dead letters") as advance:
            stories = explain_event(
                event_id,
                source,
                standing,
                watched(published(files, topics, settings.kafka), advance),
                watched(_letters(letters, bool(topics), settings), advance),
                credited,
            )
    result = {"ledger_url": settings.ledger.url, "event_id": event_id, "events": [plain(story) for story in stories]}
    print_result(result, json, lambda: layout(event_id, source, stories))
    if not stories:
        raise typer.Exit(1)


@contextmanager
def _asking(settings: "LedgerSettings") -> "Iterator[tuple[Accounts, Callable[[bytes], Iterator[Known]]]]":
    """Give a ledger's accounts, and what tells where it has credited an event: once for each of its books."""
    from gmv.ledger.open import open_accounts, open_ledger

    with ExitStack() as stack:
        accounts: Accounts = stack.enter_context(closing(open_accounts(settings)))
        ledger: Ledger = stack.enter_context(closing(open_ledger(settings)))

        def credited(identity: bytes) -> "Iterator[Known]":
            for book in range(accounts.books()):
                yield from ledger.known(book, [identity]).values()  # partition p stands in book p mod their number

        yield accounts, credited


def _letters(files: list[Path], is_kafka_read: bool, settings: "Settings") -> "Iterator[FoundDeadLetter]":
    """Yield those of the files; where none is named, those of Kafka, if its receipts are read, too."""
    from gmv.cli.dead_letters import dead_letters_of

    for file in files:
        yield from dead_letters_of(file, settings)
    if is_kafka_read and not files:
        yield from dead_letters_of(None, settings)
