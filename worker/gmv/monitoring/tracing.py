"""Traces in log lines: a decorator around the worker core. Spans, for those who want them, are in `spans.py`."""

from collections.abc import Awaitable, Collection, Iterable
from typing import Final

from structlog.contextvars import bound_contextvars
from typing_extensions import override

from gmv.events.cloudevents import trace_of
from gmv.events.trace_context import TraceContext
from gmv.ledger.port import Fenced, Rewound
from gmv.stream.ports import Creditor, Log, RunAnswer
from gmv.stream.records import Partition, Record, Run

_TOLD_MAX: Final = 400  # 14 kB of a line: container runtimes cut lines at 16 KiB


def traces_of(records: Iterable[Record]) -> list[TraceContext]:
    """Return the trace contexts of records, each once, in order."""
    once: dict[str, TraceContext] = {}
    for record in records:
        if (trace := trace_of(record.headers)) is not None:
            once.setdefault(trace.traceparent, trace)
    return list(once.values())


class LoggedTraces(Creditor):
    """A `Creditor`: every line logged while a run is credited says which traces its records belong to."""

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
        trace_ids = list(dict.fromkeys(trace.trace_id for trace in traces_of(run.records)))
        if not trace_ids:
            return await self._inner.credit(run, confirmed)
        with bound_contextvars(event_trace_ids=trace_ids[:_TOLD_MAX]):
            return await self._inner.credit(run, confirmed)
