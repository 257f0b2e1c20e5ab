"""A position that retention has overtaken, moved to where its log begins now."""

from contextlib import closing
from dataclasses import dataclass, replace

from gmv.errors import LedgerMissing, LedgerRefused, PositionOutsideLog
from gmv.ledger.open import open_accounts, open_ledger
from gmv.ledger.port import AlreadyCommitted, Batch, Committed
from gmv.settings import LedgerSettings
from gmv.stream.records import LogDescription


@dataclass(frozen=True, slots=True)
class AcceptedLoss:
    """Offsets of a partition that are never credited.

    Attributes:
        topic: of the log.
        partition: of the topic.
        position_before: next offset, before.
        position: next offset, now.
        offsets_lost: how many are between the two.
    """

    topic: str
    partition: int
    position_before: int
    position: int
    offsets_lost: int


def accept_loss(log: LogDescription, partition: int, settings: LedgerSettings) -> AcceptedLoss:
    """Commit a batch of nothing, which no worker that commits meanwhile can be overtaken by.

    Args:
        log: as it is now.
        partition: that lost records.
        settings: which ledger.

    Raises:
        LedgerMissing: the ledger has no position there.
        PositionOutsideLog: the log was deleted and made again.
        LedgerRefused: nothing is lost, or a worker moved the position meanwhile.
    """
    where = f"{log.topic}[{partition}]"
    with closing(open_accounts(settings)) as accounts:
        before = accounts.positions().get((log.topic, partition))
    if before is None or partition not in log.bounds:
        raise LedgerMissing(f"{settings.url} has no position in {where}: is it the right topic, partition and ledger?")
    start = log.bounds[partition].start
    if before.topic_id != log.topic_id:
        raise PositionOutsideLog(
            f"{where} was deleted and made again: no position of the old one means anything in it. Give the new topic "
            "another name"
        )
    if before.next_offset >= start:
        raise LedgerRefused(
            f"{where} begins at {start}, and the ledger is at {before.next_offset}: nothing is lost, and nothing was "
            "changed"
        )
    after = replace(before, next_offset=start)
    with closing(open_ledger(settings)) as ledger:
        answer = ledger.commit(Batch(log.topic, partition, before, after, credits={}, entries=()))
    if not isinstance(answer, Committed | AlreadyCommitted):
        raise LedgerRefused(f"{where}: the position moved meanwhile ({answer}); nothing was changed. Look again")
    return AcceptedLoss(
        log.topic, partition, before.next_offset, after.next_offset, after.next_offset - before.next_offset
    )
