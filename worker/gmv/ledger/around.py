"""What decorators of a ledger share: everything is passed on, but for what each of them overrides."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from gmv.ledger.port import Answer, Batch, Known, Ledger
from gmv.ledger.position import Position


class AroundLedger(Ledger):
    """A `Ledger` around another."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner

    @override
    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        return self._inner.positions(topic, partitions)

    @override
    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        return self._inner.unregistered(topic, partitions)

    @override
    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        return self._inner.known(partition, identities)

    @override
    def commit(self, batch: Batch) -> Answer:
        return self._inner.commit(batch)

    @override
    def note(self, topic: str, partition: int) -> str | None:
        return self._inner.note(topic, partition)

    @override
    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        return self._inner.take_note(topic, partition, expected, text)

    @override
    def close(self) -> None:
        self._inner.close()
