"""`gmv worker` without event ids and receipts: `python -m tools.unprotected_worker`.

It is for ledgers and topics of a bench alone, and refuses others: their credits would be wrong for good.

No receipt is published and no event's id is looked up, sent or kept, so that an event that comes again in a later run
is credited again. Everything else is the worker's own: receipts are made, positions move by compare-and-set. What the
two differ by is what ids and receipts cost.
"""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from gmv.assembly.worker import run_worker
from gmv.bench.own import OWN_PREFIX
from gmv.errors import InvalidSettings
from gmv.index.opened import open_index
from gmv.ledger.around import AroundLedger
from gmv.ledger.port import Answer, Batch, Known
from gmv.settings import Settings, load
from gmv.stream.ports import DeadLetter, Outbox, SealedReceipt
from gmv.stream.records import Partition
from gmv.threads import limit_threads


class LedgerWithoutIds(AroundLedger):
    """A ledger that knows no event."""

    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        """Answer without a round trip: none."""
        return {}

    def commit(self, batch: Batch) -> Answer:
        """Commit credits and position alone."""
        return super().commit(replace(batch, entries=()))


class OutboxWithoutReceipts(Outbox):
    """An outbox of dead letters alone."""

    def __init__(self, inner: Outbox) -> None:
        self._inner = inner

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        if dead_letters:
            await self._inner.publish(partition, (), dead_letters)


def require_own(settings: Settings) -> None:
    """See that ledger and topic were made by a bench.

    Raises:
        InvalidSettings: one of them was not.
    """
    names = {"ledger.namespace": settings.ledger.namespace, "kafka.topic": settings.kafka.topic}
    if others := [f"{setting} is {name}" for setting, name in names.items() if not name.startswith(OWN_PREFIX)]:
        raise InvalidSettings(
            f"{' and '.join(others)}, but this worker credits an event as often as it is sent: it takes nothing whose "
            f"name does not begin with {OWN_PREFIX}, as a bench makes it. Run `gmv worker`"
        )


def main() -> None:
    """Credit until SIGTERM, by settings from the environment of a bench that has verified the index.

    Raises:
        InvalidSettings: no index is named, or a ledger or a topic that is not a bench's own.
        Refusal: what ended the worker.
    """
    settings = load()
    require_own(settings)
    limit_threads()
    if settings.index is None:
        raise InvalidSettings("no index is named: this is started by `tools.protection_cost`")
    index = open_index(settings.index, verify=False)
    run_worker(settings, index, LedgerWithoutIds, OutboxWithoutReceipts)


if __name__ == "__main__":
    main()
