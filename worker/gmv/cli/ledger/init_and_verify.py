"""`gmv ledger`: make a ledger for a log, and see that every micro-credit in it is accounted for."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.ledger.accept_loss import accept_loss
from gmv.cli.ledger.acl import acl
from gmv.cli.ledger.audit import audit
from gmv.cli.ledger.correct import correct
from gmv.cli.ledger.prune import WindowOption, prune
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption, published

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.ledger.port import Accounts, Sums
    from gmv.ledger.position import Position
    from gmv.ledger.verify import Conservation
    from gmv.operations.published import Published
    from gmv.operations.verifying import VerifiedReceipts
    from gmv.settings import KafkaSettings, LedgerSettings
    from gmv.stream.records import LogDescription

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Edge(StrEnum):
    """Where in a log to begin."""

    START = "start"
    END = "end"


@app.command()
def init(
    log: Annotated[
        Path | None, typer.Option("--log", metavar="EVENTS", help="File of events, as `gmv replay` takes it.")
    ] = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    edge: Annotated[Edge, typer.Option("--from", help="Where in the log crediting begins.")] = Edge.START,
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

    Safe to run again: a partition that has a position keeps it, and partitions that were added to a topic get one.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.cli.output import print_result
    from gmv.ledger.open import open_accounts, open_registry

    described = _describe(log, topic, settings.kafka)
    with closing(open_registry(settings.ledger)) as registry, closing(open_accounts(settings.ledger)) as accounts:
        registry.create(books)
        if identity_window is not None:
            registry.state_window(identity_window)
        standing = _standing_in(described, accounts, settings.ledger)
        first = _firsts(described, edge)
        registered = registry.register(described.topic, first)
    positions = {number: position.next_offset for number, position in sorted((first | standing).items())}
    result = {
        "ledger_url": settings.ledger.url,
        "topic": described.topic,
        "topic_id": described.topic_id,
        "positions": {str(number): offset for number, offset in positions.items()},
        "registered": list(registered),
    }
    print_result(result, json, lambda: _registration(settings.ledger.url, described.topic, positions, registered))


@app.command()
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
        "receipts": explained
        and {
            "committed": explained.receipts,
            "batches": explained.batches,
            "orphan_batches": explained.orphans,
            "owners": explained.owners,
        },
    }
    print_result(result, json, lambda: _verdict(settings.ledger.url, conserved, explained))


def _describe(log: Path | None, topic: str | None, kafka: "KafkaSettings") -> "LogDescription":
    from gmv.errors import InvalidSettings
    from gmv.files.log import describe_file
    from gmv.kafka.admin import describe_topic

    if (log is None) == (topic is None):
        raise InvalidSettings("name the log to be credited: either --log EVENTS, a file, or --topic NAME, of Kafka")
    return describe_topic(kafka) if log is None else describe_file(log)


def _firsts(described: "LogDescription", edge: Edge) -> "dict[int, Position]":
    from gmv.ledger.position import Position

    if edge is Edge.START:
        return described.starts()
    return {number: Position(described.topic_id, bounds.end) for number, bounds in described.bounds.items()}


def _standing_in(described: "LogDescription", accounts: "Accounts", ledger: "LedgerSettings") -> "dict[int, Position]":
    """Return the positions the ledger has in this log, and refuse those of another log of its name."""
    from gmv.errors import PositionOutsideLog

    standing = {
        number: position for (topic, number), position in accounts.positions().items() if topic == described.topic
    }
    for number, position in standing.items():
        if position.topic_id != described.topic_id:
            raise PositionOutsideLog(
                f"{ledger.url} stands at {position.next_offset} of another {described.topic}[{number}], with id "
                f"{position.topic_id}, and this one's is {described.topic_id}: a topic that was made anew, or a file "
                "whose first line changed, is a new log. Give it a new name, or a ledger of its own by --ledger or "
                "ledger.namespace"
            )
    return standing


def _registration(url: str, topic: str, positions: Mapping[int, int], registered: Collection[int]) -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import table

    return Group(
        f"{url} is ready for {topic}" if registered else f"{url} stands in {topic} already; nothing was changed",
        table(
            None,
            ["partition", "position", ""],
            [
                [number, f"{offset:,}", "registered now" if number in registered else "stood already"]
                for number, offset in positions.items()
            ],
            numbers=["partition", "position"],
        ),
    )


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
    ]
    if explained is not None:
        rows += [
            ["committed receipts", f"{explained.receipts:,}"],
            ["their batches", f"{explained.batches:,}"],
            ["batches never committed", f"{explained.orphans:,}"],
            ["owners explained", f"{explained.owners:,}"],
        ]
    return Group(f"{url}: every micro-credit is accounted for", table(None, ["", " "], rows, numbers=[" "]))


app.command("accept-loss")(accept_loss)
app.command()(acl)
app.command()(audit)
app.command()(correct)
app.command()(prune)
