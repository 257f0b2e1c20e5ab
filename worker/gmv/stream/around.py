"""A `Creditor` around another, which does what that does: a decorator changes what it is for, and nothing else."""

from collections.abc import Awaitable, Collection

from typing_extensions import override

from gmv.ledger.port import Fenced, Rewound
from gmv.stream.ports import Creditor, Log, RunAnswer
from gmv.stream.records import Partition, Run


class AroundCreditor(Creditor):
    """Hands every call to the creditor inside."""

    def __init__(self, inner: Creditor) -> None:
        self._inner = inner

    @override
    def next_offset(self, partition: Partition) -> int:
        return self._inner.next_offset(partition)

    @override
    async def unregistered(self, partitions: Collection[Partition]) -> set[Partition]:
        return await self._inner.unregistered(partitions)

    @override
    async def assign(self, partitions: Collection[Partition], log: Log) -> None:
        await self._inner.assign(partitions, log)

    @override
    async def check(self, partitions: Collection[Partition]) -> dict[Partition, Fenced | Rewound]:
        return await self._inner.check(partitions)

    @override
    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        return await self._inner.credit(run, confirmed)
