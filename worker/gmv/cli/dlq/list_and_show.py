"""`gmv dlq list` and `gmv dlq show`: which dead letters there are, and what is in them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.dlq.choice import EventIdOption, FileOption, PlaceOption, ReasonOption, dead_letters_of, wanted_of
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.showing_dead_letters import ListedDeadLetters, WholeDeadLetter, WholeDeadLetters

VALUE_CHARACTERS_SHOWN: Final = 2_000


def list_dead_letters(
    file: FileOption = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    reasons: ReasonOption = None,
    event_id: EventIdOption = None,
    place: PlaceOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="How many to name, the last found.")] = 50,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Count dead letters by reason, and name the last of them.

    A record that a crash has dead-lettered twice counts once; one that was sent again and refused again is two. Where
    a ledger answers, it is said of which an event of the same id is credited by now.
    """
    settings = load_settings(config, brokers=brokers, topic=topic, ledger=ledger)
    kafka = settings.kafka
    from gmv.cli.output import progress, render
    from gmv.operations import showing_dead_letters
    from gmv.operations.credited_since import asking
    from gmv.operations.watching import watched

    wanted = wanted_of(reasons, event_id, place)
    with progress("reading", unit="dead letters") as advance, asking(settings.ledger) as credited:
        found = watched(dead_letters_of(file, kafka), advance)
        listed = showing_dead_letters.list_dead_letters(
            file or kafka.dead_letters_topic, found, wanted, limit, credited
        )
    render(listed, json, _view_list)


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
    kafka = load_settings(config, brokers=brokers, topic=topic).kafka
    from gmv.cli.output import progress, render
    from gmv.operations.showing_dead_letters import show_dead_letters
    from gmv.operations.watching import watched

    wanted = wanted_of(reasons, event_id, place)
    with progress("reading", unit="dead letters") as advance:
        shown = show_dead_letters(watched(dead_letters_of(file, kafka), advance), wanted, limit)
    render(shown, json, _view_show)
    if not shown.letters:
        raise typer.Exit(1)


def _view_list(listed: "ListedDeadLetters") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    by_reason = sorted(listed.by_reason.items(), key=lambda each: -each[1])
    credited = listed.credited_by_reason
    columns = ["reason", "records"] if credited is None else ["reason", "records", "credited by now"]
    rows = [[why, f"{count:,}", *([] if credited is None else [f"{credited[why]:,}"])] for why, count in by_reason]
    yield table(f"{listed.dead_letters:,} dead letters", columns, rows, numbers=["records", "credited by now"])
    if listed.credited_unknown is not None:
        yield f"It is not known which events are credited by now: {listed.credited_unknown}"
    yield _letters(listed)


def _letters(listed: "ListedDeadLetters") -> "ConsoleRenderable":
    from gmv.cli.output import table

    columns = ["record", "reason", "event", "dead-lettered at", "why"]
    rows = [
        [each.place, each.reason, each.event.id or "-", each.dead_lettered_at or "-", each.detail]
        for each in listed.letters
    ]
    if listed.credited_by_reason is not None:
        columns.append("credited by now")
        for row, each in zip(rows, listed.letters, strict=True):
            row.append({True: "yes", False: "no", None: "-"}[each.credited])
    return table(None, columns, rows)


def _view_show(shown: "WholeDeadLetters") -> "Iterator[str | ConsoleRenderable]":
    """Lay out all of each dead letter; of a long value, the beginning."""
    for each in shown.letters:
        yield _facts(each)
    if not shown.letters:
        yield "no dead letter is like that"


def _facts(dead_letter: "WholeDeadLetter") -> "ConsoleRenderable":
    from gmv.cli.output import facts

    event = dead_letter.event
    return facts(
        None,
        [
            ("record", dead_letter.place),
            ("reason", dead_letter.reason),
            ("why", dead_letter.detail),
            ("event", f"({event.source}, {event.id})" if event.id else "-"),
            ("dead-lettered at", dead_letter.dead_lettered_at or "-"),
            ("key", _text(dead_letter.key)),
            *((f"header {name}", _text(value)) for name, value in dead_letter.headers),
            ("value", _text(dead_letter.value)),
        ],
    )


def _text(value: bytes | None) -> tuple[str, ...]:
    """Return bytes in lines as people read them: text where they are text, Python's escapes where they are not."""
    if value is None:
        return ("none",)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = repr(value)[2:-1]
    if len(text) > VALUE_CHARACTERS_SHOWN:
        text = f"{text[:VALUE_CHARACTERS_SHOWN]}… ({len(value):,} bytes)"
    return tuple(text.split("\n"))
