"""Spans of OpenTelemetry around a worker's ports: a run, and in it attribution, publishing and the commit.

A run has events of many traces, so it is a trace of its own that links to each of theirs, as OpenTelemetry's
conventions for messaging have it (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/). Each
decorator has the protocol of what it wraps and changes nothing. Needs the extra `tracing`.
"""

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Tracer, format_span_id, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars
from typing_extensions import override

from gmv.errors import Poison
from gmv.events.model import GeneratedImage
from gmv.events.trace_context import TRACEPARENT, TRACESTATE, TraceContext
from gmv.ledger.around import AroundLedger
from gmv.ledger.port import Answer, Batch, Ledger
from gmv.monitoring.catalogue import ANSWERS
from gmv.monitoring.tracing import LoggedTraces, traces_of
from gmv.settings import KafkaSettings
from gmv.stream.core import Parts
from gmv.stream.ports import Creditor, DeadLetter, Outbox, RunAnswer, SealedReceipt, Valuer
from gmv.stream.records import Partition, Run
from gmv.stream.stamped import StampedValuer, Valuers
from gmv.valuation.types import Attribution

_PROPAGATOR: Final = TraceContextTextMapPropagator()


class RunSpans:
    """The spans of a worker. The stages of a run are in its context, also those in a thread beside the event loop."""

    def __init__(self, tracer: Tracer, kafka: KafkaSettings) -> None:
        self._tracer = tracer
        self._kafka = kafka

    def around_core(self, core: Creditor) -> Creditor:
        """Put a span around each run."""
        return TracedCreditor(core, self)

    def around_parts(self, parts: Parts) -> Parts:
        """Put spans into it, for the stages that can take long."""
        return replace(
            parts,
            valuers=TracedValuers(parts.valuers, self),
            outbox=TracedOutbox(parts.outbox, self, self._kafka),
            ledger=TracedLedger(parts.ledger, self),
        )

    @contextmanager
    def run(self, run: Run) -> Iterator[Span]:
        """Open the span of a run."""
        partition = run.partition
        attributes = {
            **_messaging(partition.topic, "process", len(run.records)),
            "messaging.destination.partition.id": str(partition.number),
            "messaging.consumer.group.name": self._kafka.group,
            **({"gmv.first_offset": run.records[0].offset} if run.records else {}),
            "gmv.next_offset": run.next_offset,
        }
        links = [_link(trace) for trace in traces_of(run.records)]
        name = f"process {partition.topic}"
        root = Context()  # no parent: the events' traces are linked to
        with self._tracer.start_as_current_span(
            name, root, kind=SpanKind.CONSUMER, attributes=attributes, links=links
        ) as span:
            yield span

    @contextmanager
    def stage(
        self, name: str, attributes: Mapping[str, str | int], kind: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[Span]:
        """Open the span of a stage of the run in hand."""
        with self._tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
            yield span


class TracedCreditor(LoggedTraces):
    """A `Creditor`; lines logged while a run is credited say which span that is, too."""

    def __init__(self, inner: Creditor, spans: RunSpans) -> None:
        super().__init__(inner)
        self._spans = spans

    @override
    async def credit(self, run: Run, confirmed: Awaitable[None] | None = None) -> RunAnswer:
        with self._spans.run(run) as span:
            ours = span.get_span_context()
            names = {"trace_id": format_trace_id(ours.trace_id), "span_id": format_span_id(ours.span_id)}
            with bound_contextvars(**names):
                answer = await super().credit(run, confirmed)
            span.set_attribute("gmv.standing", ANSWERS[type(answer)])
            return answer


class TracedValuer(Valuer):
    """A `Valuer`."""

    def __init__(self, inner: Valuer, spans: RunSpans) -> None:
        self._inner = inner
        self._spans = spans

    @override
    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        with self._spans.stage("attribute", {"gmv.events": len(events)}) as span:
            found = self._inner.attribute(events)
            span.set_attribute("gmv.poison", sum(isinstance(each, Poison) for each in found))
            return found


class TracedValuers(Valuers):
    """`Valuers` whose valuers are traced."""

    def __init__(self, inner: Valuers, spans: RunSpans) -> None:
        self._inner = inner
        self._spans = spans

    @override
    def current(self) -> StampedValuer:
        found = self._inner.current()
        return replace(found, valuer=TracedValuer(found.valuer, self._spans))


class TracedOutbox(Outbox):
    """An `Outbox`."""

    def __init__(self, inner: Outbox, spans: RunSpans, kafka: KafkaSettings) -> None:
        self._inner = inner
        self._spans = spans
        self._topic = kafka.receipts_topic

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        attributes = {**_messaging(self._topic, "send", len(receipts)), "gmv.dead_letters": len(dead_letters)}
        with self._spans.stage("publish", attributes, SpanKind.PRODUCER):
            await self._inner.publish(partition, receipts, dead_letters)


class TracedLedger(AroundLedger):
    """A `Ledger`; of its calls, the commit has a span."""

    def __init__(self, inner: Ledger, spans: RunSpans) -> None:
        super().__init__(inner)
        self._spans = spans

    @override
    def commit(self, batch: Batch) -> Answer:
        attributes: dict[str, str | int] = {
            "gmv.batch_id": batch.next.batch_id,
            "gmv.credited": len(batch.entries),
            "gmv.owners": len(batch.credits),
        }
        with self._spans.stage("commit", attributes, SpanKind.CLIENT) as span:
            answer = self._inner.commit(batch)
            span.set_attribute("gmv.answer", ANSWERS[type(answer)])
            return answer


def _messaging(topic: str, operation: str, records: int) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.batch.message_count": records,
    }


def _link(trace: TraceContext) -> Link:
    headers = {TRACEPARENT: trace.traceparent, TRACESTATE: trace.tracestate}
    return Link(get_current_span(_PROPAGATOR.extract(headers, Context())).get_span_context())
