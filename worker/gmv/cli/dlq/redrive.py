"""`gmv dlq redrive`: dead letters sent once more."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.dlq.choice import EventIdOption, FileOption, PlaceOption, ReasonOption, dead_letters_of, wanted_of
from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    JsonOption,
    LedgerOption,
    TopicOption,
    load_settings,
    refuse_shared_files,
)

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.redrive_run import Redriven, Target
    from gmv.operations.redriving import HeldBack
    from gmv.settings import KafkaSettings


def redrive(
    file: FileOption = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="EVENTS", help="With --file: the file of events to append to.")
    ] = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    reasons: ReasonOption = None,
    event_id: EventIdOption = None,
    place: PlaceOption = None,
    send: Annotated[
        bool, typer.Option("--send/--dry-run", help="Send; otherwise only say what would be sent.")
    ] = False,
    insist: Annotated[
        bool,
        typer.Option(
            "--insist",
            help="Also what would only be refused again, such as an id conflict, and what the ledger's identity window "
            "has passed, which is paid twice if it was sent again and credited before.",
        ),
    ] = False,
    uncredited: Annotated[
        bool, typer.Option("--uncredited", help="Ask the ledger, and leave out what it has credited since.")
    ] = False,
    rate: Annotated[float, typer.Option("--rate", metavar="N", min=0.001, help="Records per second, at most.")] = 100.0,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Send dead letters once more to the log they came from, byte for byte. Nothing is sent without --send.

    Safe to run again, and to interrupt: an event is credited once, and of the dead letters of one record only the
    newest is sent. Where the ledger has an identity window, dead letters that are further back are held back: it could
    not tell whether they were credited since. Each record goes to the partition it came from, with a header that says
    where it was.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    from gmv.cli.output import progress, render
    from gmv.operations import redrive_run

    origin = redrive_run.Origin(
        file or settings.kafka.dead_letters_topic, lambda: dead_letters_of(file, settings.kafka)
    )
    with _target(file, into, settings.kafka) as target:
        wanted = wanted_of(reasons, event_id, place)
        options = redrive_run.RedriveOptions(wanted, send, insist, uncredited, rate)
        redriven = redrive_run.redrive(origin, target, options, settings.ledger, progress)
    render(redriven, json, _view)


@contextmanager
def _target(file: Path | None, into: Path | None, kafka: "KafkaSettings") -> "Iterator[Target]":
    from gmv.errors import InvalidSettings

    if file is None and into is not None:
        raise InvalidSettings("--into goes with --file: dead letters in Kafka go back to their topic")
    if file is not None and into is None:
        raise InvalidSettings("name the file of events that the records of --file go back to by --into EVENTS")
    with ExitStack() as stack:
        yield _topic(kafka, stack) if into is None else _file(file, into)


def _file(file: Path | None, into: Path) -> "Target":
    from gmv.files.log import describe_file, partition_of
    from gmv.files.redrive import FileOfEvents
    from gmv.operations.redrive_run import Target

    def ends() -> Mapping[int, int]:
        return {number: bounds.end for number, bounds in describe_file(into).bounds.items()}

    refuse_shared_files(dead_letters=file, events=into)
    return Target(into, partition_of(into).topic, [0], ends, lambda: FileOfEvents(into))


def _topic(kafka: "KafkaSettings", stack: ExitStack) -> "Target":
    from gmv.kafka.admin import TopicAdmin
    from gmv.kafka.redrive import TopicOfEvents
    from gmv.operations.redrive_run import Target

    # A record that is sent is written after those of open transactions, which read_committed leaves out.
    admin = stack.enter_context(closing(TopicAdmin(kafka.model_copy(update={"isolation": "read_uncommitted"}))))

    def ends() -> Mapping[int, int]:
        return {number: bounds.end for number, bounds in admin.bounds().items()}

    return Target(kafka.topic, kafka.topic, ends().keys(), ends, lambda: TopicOfEvents(kafka))


def _view(redriven: "Redriven") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    rows = [[reason, f"{count:,}", ""] for reason, count in redriven.chosen_by_reason.items()]
    rows += [["", f"{count:,}", f"held back: {_why(why)}"] for why, count in redriven.held_back.items()]
    # Not as the table's title, which would be folded to its width, through the name.
    if redriven.dry_run:
        yield f"{redriven.chosen:,} records would go to {redriven.into}"
    else:
        yield f"{redriven.sent:,} records sent to {redriven.into}"
    yield table(None, ["reason", "records", " "], rows, numbers=["records"])
    if redriven.dry_run:
        yield "nothing was sent; say --send to send them"


def _why(held_back: "HeldBack") -> str:
    """Return the word for it, and of what a person could take for a fault, more."""
    from gmv.operations.redriving import HeldBack

    if held_back is HeldBack.BEYOND_WINDOW:
        return f"{held_back}, older than the ledger's identity window: it could not tell if they were credited since"
    return str(held_back)
