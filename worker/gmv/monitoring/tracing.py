"""Traces in log lines: a decorator around the worker core. Spans, for those who want them, are in `spans.py`."""

from collections.abc import Awaitable, Iterable
from typing import Final

from structlog.contextvars import bound_contextvars
from typing_extensions import override

from gmv.events.cloudevents import trace_of
from gmv.events.trace_context import TraceContext
from gmv.stream.around import AroundCreditor
from gmv.stream.ports import RunAnswer
from gmv.stream.records import Record, Run

_TOLD_MAX: Final = 400  # 14 kB of a line: container runtimes cut lines at 16 KiB


def traces_of(records: Iterable[Record]) -> list[TraceContext]:
    """Return the trace contexts of records, each once, in order."""
    once: dict[str, TraceContext] = {}
    for record in records:
        if (trace := trace_of(record.headers)) is not None:
            once.setdefault(trace.traceparent, trace)
    return list(once.values())


class LoggedTraces(AroundCreditor):
    """A `Creditor`: every line logged while a run is credited says which traces its records belong to."""

    @override
    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        trace_ids = list(dict.fromkeys(trace.trace_id for trace in traces_of(run.records)))
        if not trace_ids:
            return await super().credit(run, confirmed)
        with bound_contextvars(event_trace_ids=trace_ids[:_TOLD_MAX]):
            return await super().credit(run, confirmed)
