"""`gmv explain`: what became of one event, and why; or which events paid an owner."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.history.committed import FromOption, TimezoneOption, ToOption
from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    JsonOption,
    LedgerOption,
    TopicOption,
    load_settings,
    refuse_given,
)
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption, history_with_topic, published

if TYPE_CHECKING:
    from gmv.ledger.port import Accounts, Known, Ledger
    from gmv.settings import LedgerSettings, Settings
    from gmv.stream.dead_letters import FoundDeadLetter

_OF_AN_OWNER: Final = ("since", "until", "timezone", "image", "least", "limit")
_OF_AN_EVENT: Final = ("source", "dead_letters")


def explain(
    context: typer.Context,
    event_id: Annotated[
        str | None, typer.Argument(metavar="EVENT_ID", help="CloudEvents id of the event.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="SOURCE", help="CloudEvents source; any, if none is named.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="OWNER", help="In place of an event: those that paid this owner.")
    ] = None,
    since: FromOption = None,
    until: ToOption = None,
    timezone: TimezoneOption = "UTC",
    image: Annotated[
        str | None, typer.Option("--image", metavar="ID", help="With --owner: for this training image alone.")
    ] = None,
    least: Annotated[
        str | None, typer.Option("--least", metavar="CREDITS", help="With --owner: that paid at least so much: 0.25.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="With --owner: how many to show.")] = 20,
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

    Without files, receipts and dead letters are those of the topic; of a ledger of files alone, they are the receipts
    beside it or in this folder. Receipts of corrections are found there, too. Exits with 1 if nothing is known of the
    event. With --owner, the committed events that paid an owner are listed instead, newest first.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    if owner is not None:
        from gmv.cli.history.owner_explanations import Asked, explain_owner

        if event_id is not None:
            raise typer.BadParameter("give an event or --owner, not both", param_hint="EVENT_ID")
        refuse_given(context, _OF_AN_EVENT, "one event, and --owner asks for all that paid an owner")
        asked = Asked(owner, since, until, timezone, image, least, limit)
        explain_owner(asked, receipts_files or [], receipts_topics or [], settings, json)
        return
    if event_id is None:
        raise typer.BadParameter("give an event's id, or an owner by --owner", param_hint="EVENT_ID")
    refuse_given(context, _OF_AN_OWNER, "the events that paid an owner, and there is no --owner")
    from gmv.cli.history.event_explanations import view
    from gmv.cli.output import progress, render
    from gmv.operations.explaining import explain_event
    from gmv.operations.explanation import explained
    from gmv.operations.judging import judge_receipts
    from gmv.operations.watching import watched

    with _asking(settings.ledger) as (accounts, credited):
        positions = accounts.positions()
        files, topics = history_with_topic(receipts_files or [], receipts_topics or [], positions, settings)
        with progress("reading", unit="receipts and dead letters") as advance:
            judgement = judge_receipts(
                lambda named, named_id: named_id == event_id and source in (None, named),
                watched(published(files, topics, settings.kafka), advance),
                positions,
            )
            explanations = explain_event(
                event_id,
                source,
                judgement.judged,
                watched(_dead_letters(dead_letters or [], bool(topics), settings), advance),
                credited,
            )
    unread, passed_over = judgement.corrections_unread, judgement.passed_over.places
    render(explained(settings.ledger.url, event_id, source, explanations, unread, passed_over), json, view)
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
