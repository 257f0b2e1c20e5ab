"""`gmv topics`: the topics of events, receipts and dead letters, made on request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, TopicOption, load_settings

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

app = typer.Typer(add_completion=False, no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class CreatedTopic:
    """A topic that was missing: its partitions, and Kafka's own settings of it by name."""

    name: str
    created: bool
    partitions: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KnownTopic:
    """A topic that was there, and stayed as it is."""

    name: str
    created: bool


@dataclass(frozen=True, slots=True)
class CreatedTopics:
    """The topics that gmv works with, all of which are there now."""

    brokers: str
    topics: tuple[CreatedTopic | KnownTopic, ...]


@app.callback()
def topics() -> None:
    """Make the topics that gmv works with. No other command ever does."""


@app.command()
def create(
    partitions: Annotated[
        int, typer.Option("--partitions", metavar="N", min=1, help="Of events and receipts: most workers at once.")
    ] = 8,
    retention_days: Annotated[
        float, typer.Option("--retention-days", metavar="DAYS", min=0.01, help="How long events wait for workers.")
    ] = 7.0,
    replication: Annotated[
        int | None, typer.Option("--replication", metavar="N", min=1, help="Of each. Default: the brokers' own.")
    ] = None,
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Create what is missing of the topics of events, receipts and dead letters; what is there stays as it is.

    Nothing is compacted, receipts and dead letters are kept for good, and records may be as large as an event with an
    image of `images.bytes_max`. `gmv doctor` says how topics that were there differ.
    """
    settings = load_settings(config, topic=topic, brokers=brokers)
    from gmv.cli.output import render
    from gmv.kafka.topics import BROKERS_DEFAULT, create_missing, planned

    plan = planned(settings, partitions, retention_days)
    created = create_missing(settings, plan, replication or BROKERS_DEFAULT)
    topics = [
        CreatedTopic(each.name, True, each.partitions, each.configs)
        if each.name in created
        else KnownTopic(each.name, False)
        for each in plan
    ]
    render(CreatedTopics(settings.kafka.brokers, tuple(topics)), json, _view)


def _view(created: CreatedTopics) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    rows = [
        [each.name, each.partitions, "created"] if isinstance(each, CreatedTopic) else [each.name, "", "was there"]
        for each in created.topics
    ]
    yield table(None, ["topic", "partitions", ""], rows, numbers=["partitions"])
