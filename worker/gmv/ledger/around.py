"""What decorators of a ledger share: everything is passed on, but for what each of them overrides."""

from collections.abc import Collection, Sequence

from gmv.ledger.port import Answer, Batch, Known, Ledger
from gmv.ledger.position import Position


class AroundLedger:
    """A `Ledger` around another."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner

    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        """See `Ledger`."""
        return self._inner.positions(topic, partitions)

    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        """See `Ledger`."""
        return self._inner.unregistered(topic, partitions)

    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        """See `Ledger`."""
        return self._inner.known(partition, identities)

    def commit(self, batch: Batch) -> Answer:
        """See `Ledger`."""
        return self._inner.commit(batch)

    def note(self, topic: str, partition: int) -> str | None:
        """See `Ledger`."""
        return self._inner.note(topic, partition)

    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        """See `Ledger`."""
        return self._inner.take_note(topic, partition, expected, text)

    def close(self) -> None:
        """See `Ledger`."""
        self._inner.close()
