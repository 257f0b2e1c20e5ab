"""`gmv emit`: images to Kafka, as events."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, TopicOption, load_settings

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.events.image_folder import ImageFolder
    from gmv.events.outgoing import Outgoing, Telling
    from gmv.passed_over import PassedOver

DEFAULT_SOURCE = "/gmv/emit"


@dataclass(frozen=True, slots=True)
class Emitted:
    """What was sent: number of events, together and by partition. And what of the folders was not."""

    topic: str
    sent: int
    partitions: Mapping[int, int]
    passed_over: "tuple[PassedOver, ...]"


def emit(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", help="Image files, folders of them, Parquet with an image column, or .jsonl."),
    ],
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    source: Annotated[
        str, typer.Option("--source", metavar="NAME", help="Who generated them; with the id it names an event.")
    ] = DEFAULT_SOURCE,
    quality: Annotated[
        float, typer.Option("--quality", min=0.0, max=1.0, help="Of every image; scales its credits.")
    ] = 1.0,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Name of the generator.")] = None,
    structured: Annotated[
        bool, typer.Option("--structured", help="Send each event as one JSON object, not as headers and data.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Send each line of the files as it is, unread, such as to test dead letters.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Send images to a topic as events, or events that are in JSON lines already.

    An image's event id is made from its name and content: sent twice, it is credited once.
    """
    settings = load_settings(config, topic=topic, brokers=brokers)
    from gmv.cli.output import progress, render
    from gmv.events.outgoing import Telling, check_path
    from gmv.kafka.emitter import Emitter

    telling = Telling(source, quality, model, structured)
    _check_telling(telling, raw)
    checked = [(path, check_path(path, raw)) for path in paths]
    with closing(Emitter(settings.kafka)) as emitter, progress("sending", unit="events") as advance:
        for name, message in _outgoing(checked, telling, raw):
            emitter.send(name, message)
            advance(1)
        partitions = emitter.finish()
    folders = {folder.path: folder for _, folder in checked if folder}  # one may be given twice
    passed_over = tuple(entry for folder in folders.values() for entry in folder.passed_over)
    render(Emitted(settings.kafka.topic, sum(partitions.values()), partitions, passed_over), json, _view)


def _view(emitted: Emitted) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    yield table(
        f"{emitted.sent:,} events sent",
        ["topic", "partition", "events"],
        [[emitted.topic, number, f"{count:,}"] for number, count in emitted.partitions.items()],
        numbers=["partition", "events"],
    )
    yield from (entry.sentence() for entry in emitted.passed_over)


def _check_telling(telling: "Telling", raw: bool) -> None:
    """See before anything is sent that a worker will take what is said of every image."""
    from gmv.errors import InvalidSettings, Poison
    from gmv.events.cloudevents import decode
    from gmv.events.encoding import event_of_image, structured

    if raw and telling.is_structured:
        raise InvalidSettings("--raw sends lines as they are; leave out --structured")
    try:
        decode(structured(event_of_image(b"", telling.source, "id", telling.quality, telling.model)))
    except Poison as poison:
        raise InvalidSettings(f"with these options every event would be refused: {poison.detail}") from poison


def _outgoing(
    checked: "Sequence[tuple[Path, ImageFolder | None]]", telling: "Telling", raw: bool
) -> "Iterator[Outgoing]":
    from gmv.events.outgoing import outgoing, raw_lines

    for path, folder in checked:
        yield from raw_lines(path) if raw else outgoing(path, telling, folder)
