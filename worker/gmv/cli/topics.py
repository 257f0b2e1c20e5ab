"""`gmv topics`: the topics of events, receipts and dead letters, made on request."""

from typing import Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, TopicOption, load_settings

app = typer.Typer(add_completion=False, no_args_is_help=True)


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
    from gmv.cli.output import print_result, table
    from gmv.kafka.topics import BROKERS_DEFAULT, create_missing, planned

    plan = planned(settings, partitions, retention_days)
    created = create_missing(settings, plan, replication or BROKERS_DEFAULT)
    result = {
        "brokers": settings.kafka.brokers,
        "topics": [
            {"name": each.name, "created": each.name in created}
            | ({"partitions": each.partitions, "configs": dict(each.configs)} if each.name in created else {})
            for each in plan
        ],
    }
    print_result(
        result,
        json,
        lambda: table(
            None,
            ["topic", "partitions", ""],
            [
                [each.name, each.partitions, "created"] if each.name in created else [each.name, "", "was there"]
                for each in plan
            ],
            numbers=["partitions"],
        ),
    )
