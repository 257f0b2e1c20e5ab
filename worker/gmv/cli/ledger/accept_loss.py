"""`gmv ledger accept-loss`: go on where a log begins, after records are gone that nobody can bring back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings

if TYPE_CHECKING:
    from gmv.operations.accepting_loss import AcceptedLoss


def accept_loss(
    partition: Annotated[int, typer.Option("--partition", metavar="N", min=0, help="The one that lost records.")],
    topic: TopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Move a position that retention has overtaken to where the log begins now. What lies between is never credited.

    Bring the records back instead, if they are anywhere. Everything else in the ledger stays: totals, identities, other
    partitions. A position that is still in its log is not moved. Needs the rights of a worker.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.cli.output import render
    from gmv.kafka.admin import describe_topic
    from gmv.operations import accepting_loss

    log = describe_topic(settings.kafka)
    render(accepting_loss.accept_loss(log, partition, settings.ledger), json, _view)


def _view(loss: "AcceptedLoss") -> Iterator[str]:
    yield (
        f"{loss.topic}[{loss.partition}] is at {loss.position:,} now. The {loss.offsets_lost:,} offsets from "
        f"{loss.position_before:,} on are never credited; keep this line"
    )
