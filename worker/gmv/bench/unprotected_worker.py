"""`gmv worker` without what makes its credits exact once and provable: `python -m gmv.bench.unprotected_worker`.

No receipt is published and no event's id is looked up, sent or kept, so that an event sent twice is credited twice.
Everything else is the worker's own. What the two differ by is what the protocol costs; nobody else may want this.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from gmv.assembly.index import open_index
from gmv.assembly.kafka_worker import run_kafka_worker
from gmv.errors import InvalidSettings
from gmv.ledger.around import AroundLedger
from gmv.ledger.open import open_ledger
from gmv.ledger.port import Answer, Batch, Known
from gmv.settings import load
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


class OutboxWithoutReceipts:
    """An outbox of dead letters alone."""

    def __init__(self, inner: Outbox) -> None:
        self._inner = inner

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """See `Outbox`."""
        if dead_letters:
            await self._inner.publish(partition, (), dead_letters)


def main() -> None:
    """Credit until SIGTERM, by settings from the environment of a bench that has verified the index.

    Raises:
        InvalidSettings: no index is named.
        Refusal: what ended the worker.
    """
    limit_threads()
    settings = load()
    if settings.index is None:
        raise InvalidSettings("no index is named: this is started by `gmv bench stream`")
    index = open_index(settings.index, verify=False)
    with closing(open_ledger(settings.ledger)) as ledger:
        run_kafka_worker(settings, index, LedgerWithoutIds(ledger), OutboxWithoutReceipts)


if __name__ == "__main__":
    main()
