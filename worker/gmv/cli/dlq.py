"""`gmv dlq`: records that could not be credited: which there are, what is in them, and another try."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

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
    from contextlib import AbstractAsyncContextManager

    from gmv.operations.redriving import Credited, Destination, Reach, Sending
    from gmv.settings import KafkaSettings, LedgerSettings, Settings
    from gmv.stream.dead_letters import FoundDeadLetter, Wanted

app = typer.Typer(add_completion=False, no_args_is_help=True)

FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Dead letters that `gmv replay` wrote, instead of those in Kafka."),
]
ReasonOption = Annotated[
    list[str] | None, typer.Option("--reason", metavar="REASON", help="Only those refused for this; may be repeated.")
]
EventIdOption = Annotated[
    str | None, typer.Option("--event-id", metavar="ID", help="Only those whose records say they are this event.")
]
PlaceOption = Annotated[
    str | None,
    typer.Option("--place", metavar="PARTITION/OFFSET", help="Only that of the record which stood there in its log."),
]


@app.command("list")
def list_dead_letters(
    file: FileOption = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    reasons: ReasonOption = None,
    event_id: EventIdOption = None,
    place: PlaceOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="How many to name, the last found.")] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Count dead letters by reason, and name the last of them.

    A record that a crash has dead-lettered twice counts once; one that was sent again and refused again is two.
    """
    settings = load_settings(config, brokers=brokers, topic=topic)
    from collections import Counter, deque

    from gmv.cli.dead_letters import dead_letters_of, overview, told
    from gmv.cli.output import print_result, progress, watched
    from gmv.stream.dead_letters import each_once

    wanted, counts = _wanted(reasons, event_id, place), Counter[str]()
    last: deque[FoundDeadLetter] = deque(maxlen=limit)
    with progress("reading", unit="dead letters") as advance:
        for letter in each_once(watched(dead_letters_of(file, settings), advance)):
            if wanted.includes(letter):
                counts[letter.reason] += 1
                last.append(letter)
    result = {
        "source": file or settings.kafka.dead_letters_topic,
        "dead_letters": counts.total(),
        "by_reason": dict(sorted(counts.items())),
        "letters": [told(letter) for letter in last],
    }
    print_result(result, json, lambda: overview(counts, last))


@app.command()
def show(
    file: FileOption = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    reasons: ReasonOption = None,
    event_id: EventIdOption = None,
    place: PlaceOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many to show, the last found.")] = 1,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show whole dead letters: key, headers and value as well. Exits with 1 if there is none."""
    settings = load_settings(config, brokers=brokers, topic=topic)
    from collections import deque

    from gmv.cli.dead_letters import content, dead_letters_of, told, whole
    from gmv.cli.output import print_result, progress, watched
    from gmv.stream.dead_letters import each_once

    wanted = _wanted(reasons, event_id, place)
    last: deque[FoundDeadLetter] = deque(maxlen=limit)
    with progress("reading", unit="dead letters") as advance:
        last.extend(filter(wanted.includes, each_once(watched(dead_letters_of(file, settings), advance))))
    print_result({"letters": [told(letter) | content(letter) for letter in last]}, json, lambda: whole(last))
    if not last:
        raise typer.Exit(1)


@app.command()
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

    Safe to run again, and to interrupt: an event is credited once, and of the letters of one record only the newest is
    sent. Where the ledger has an identity window, letters that are further back are held back: it could not tell
    whether they were credited since. Each record goes to the partition it came from, with a header that says where it
    stood.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    import asyncio
    from collections import Counter
    from dataclasses import replace

    from gmv.cli.dead_letters import dead_letters_of, redriven
    from gmv.cli.output import print_result, progress, watched
    from gmv.operations import redriving

    sending = redriving.Sending(0, 0)
    with _target(file, into, settings) as target:
        reach = None if insist else _reach(settings.ledger, target)
        with progress("choosing", unit="dead letters") as advance, _asking(settings.ledger, uncredited) as credited:
            plan = redriving.plan(
                watched(dead_letters_of(file, settings), advance),
                _wanted(reasons, event_id, place),
                target.topic,
                target.partitions,
                insist,
                credited,
                reach,
            )
        if send and plan.chosen:
            with progress("sending", len(plan.chosen), "records") as advance:
                chosen = redriving.selected(dead_letters_of(file, settings), plan.chosen)
                sending = asyncio.run(_send(target.destination, chosen, rate, advance, reach))
    beyond = Counter({redriving.HeldBack.BEYOND_WINDOW: sending.beyond_window})
    plan = replace(plan, held_back=plan.held_back + beyond)
    result = {
        "source": file or settings.kafka.dead_letters_topic,
        "into": into or target.topic,
        "dry_run": not send,
        "chosen": len(plan.chosen),
        "chosen_by_reason": dict(sorted(plan.by_reason.items())),
        "held_back": {str(why): count for why, count in sorted(plan.held_back.items())},
        "sent": sending.sent,
    }
    print_result(result, json, lambda: redriven(plan, str(into or target.topic), sending.sent, send))


class _Target(NamedTuple):
    """The log that dead letters go back to; `ends` asks it where each of its partitions ends now."""

    topic: str
    partitions: Collection[int]
    ends: "Callable[[], Mapping[int, int]]"
    destination: "Callable[[], AbstractAsyncContextManager[Destination]]"


@contextmanager
def _target(file: Path | None, into: Path | None, settings: "Settings") -> "Iterator[_Target]":
    from gmv.errors import InvalidSettings

    if file is None and into is not None:
        raise InvalidSettings("--into goes with --file: dead letters in Kafka go back to their topic")
    if file is not None and into is None:
        raise InvalidSettings("name the file of events that the records of --file go back to by --into EVENTS")
    with ExitStack() as stack:
        yield _topic(settings.kafka, stack) if into is None else _file(file, into)


def _file(file: Path | None, into: Path) -> _Target:
    from gmv.files.log import describe_file
    from gmv.files.redrive import FileOfEvents

    def ends() -> Mapping[int, int]:
        return {number: bounds.end for number, bounds in describe_file(into).bounds.items()}

    refuse_shared_files(dead_letters=file, events=into)
    return _Target(into.name, [0], ends, lambda: FileOfEvents(into))


def _topic(kafka: "KafkaSettings", stack: ExitStack) -> _Target:
    from gmv.kafka.admin import TopicAdmin
    from gmv.kafka.redrive import TopicOfEvents

    # A record that is sent comes to stand after those of open transactions, which read_committed leaves out.
    admin = stack.enter_context(TopicAdmin(kafka.model_copy(update={"isolation": "read_uncommitted"})))

    def ends() -> Mapping[int, int]:
        return {number: bounds.end for number, bounds in admin.bounds().items()}

    return _Target(kafka.topic, ends().keys(), ends, lambda: TopicOfEvents(kafka))


def _reach(ledger: "LedgerSettings", target: _Target) -> "Reach | None":
    """Return how far back the ledger knows what it credited, None where it does for good.

    Raises:
        Refusal: there is no ledger, or it does not answer. What it has let go could be paid twice.
    """
    from gmv.ledger.open import open_janitor
    from gmv.operations.redriving import Reach

    with closing(open_janitor(ledger)) as janitor:
        window = janitor.window()
    return None if window is None else Reach(window, target.ends)


async def _send(
    destination: "Callable[[], AbstractAsyncContextManager[Destination]]",
    letters: "Iterable[FoundDeadLetter]",
    per_second: float,
    advance: "Callable[[int], None]",
    reach: "Reach | None",
) -> "Sending":
    from gmv.operations.redriving import send

    async with destination() as opened:
        return await send(letters, opened, per_second, advance, reach)


@contextmanager
def _asking(ledger: "LedgerSettings", is_wanted: bool) -> "Iterator[Credited | None]":
    """Give what tells which events the ledger has credited, None where it is not to be asked."""
    if not is_wanted:
        yield None
        return
    from gmv.ledger.open import open_ledger

    with closing(open_ledger(ledger)) as opened:
        yield opened.known


def _wanted(reasons: list[str] | None, event_id: str | None, place: str | None) -> "Wanted":
    from gmv.errors import InvalidSettings, Reason
    from gmv.stream.dead_letters import Wanted

    if unknown := set(reasons or []) - set(Reason):
        raise InvalidSettings(f"--reason {min(unknown)} is none; there are {', '.join(Reason)}")
    return Wanted(frozenset(reasons or []), event_id, place)
