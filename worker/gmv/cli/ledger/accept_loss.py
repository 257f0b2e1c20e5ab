"""`gmv ledger accept-loss`: go on where a log begins, after records are gone that nobody can bring back."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, TopicOption, load_settings

if TYPE_CHECKING:
    from gmv.ledger.position import Position
    from gmv.settings import LedgerSettings
    from gmv.stream.records import LogDescription


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
    from gmv.cli.output import print_result
    from gmv.kafka.admin import describe_topic

    described = describe_topic(settings.kafka)
    before, after = _move(described, partition, settings.ledger)
    lost = after.next_offset - before.next_offset
    result = {
        "topic": described.topic,
        "partition": partition,
        "position_before": before.next_offset,
        "position": after.next_offset,
        "offsets_lost": lost,
    }
    print_result(
        result,
        json,
        lambda: (
            f"{described.topic}[{partition}] stands at {after.next_offset:,} now. The {lost:,} offsets from "
            f"{before.next_offset:,} on are never credited; keep this line"
        ),
    )


def _move(described: "LogDescription", number: int, ledger: "LedgerSettings") -> "tuple[Position, Position]":
    """Commit a batch of nothing, which no worker that commits meanwhile can be overtaken by."""
    from gmv.errors import LedgerMissing, LedgerRefused, PositionOutsideLog
    from gmv.ledger.open import open_accounts, open_ledger
    from gmv.ledger.port import AlreadyCommitted, Batch, Committed

    where = f"{described.topic}[{number}]"
    with closing(open_accounts(ledger)) as accounts:
        before = accounts.positions().get((described.topic, number))
    if before is None or number not in described.bounds:
        raise LedgerMissing(f"{ledger.url} has no position in {where}: is it the right topic, partition and ledger?")
    start = described.bounds[number].start
    if before.topic_id != described.topic_id:
        raise PositionOutsideLog(
            f"{where} was deleted and made again: no position of the old one means anything in it. Give the new topic "
            "another name"
        )
    if before.next_offset >= start:
        raise LedgerRefused(
            f"{where} begins at {start}, and the ledger stands at {before.next_offset}: nothing is lost, and nothing "
            "was changed"
        )
    after = replace(before, next_offset=start)
    with closing(open_ledger(ledger)) as book:
        answer = book.commit(Batch(described.topic, number, before, after, credits={}, entries=()))
    if not isinstance(answer, Committed | AlreadyCommitted):
        raise LedgerRefused(f"{where}: the position moved meanwhile ({answer}); nothing was changed. Look again")
    return before, after
