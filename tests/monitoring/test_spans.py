"""Traces: in log lines, beside receipts, and as spans around a core that does the same with and without them."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from structlog.contextvars import get_contextvars

from gmv.assembly.tracing import Tracing, tracing
from gmv.errors import InvalidSettings
from gmv.monitoring.spans import RunSpans
from gmv.settings import KafkaSettings, load
from gmv.stream.core import Core, Parts
from gmv.stream.ports import RunSummary
from gmv.stream.records import Record, Run
from tests.stream.world import (
    PARTITION,
    START,
    Crash,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
    poison_record,
)

TRACE_IDS = ["4bf92f3577b34da6a3ce929d0e0e4736", "a" * 32]
PARENTS = [f"00-{trace_id}-00f067aa0ba902b7-01" for trace_id in TRACE_IDS]


def traced_record(offset: int, parent: str, *more: tuple[str, bytes | None]) -> Record:
    return replace(event_record(offset, f"event-{offset}"), headers=(("traceparent", parent.encode()), *more))


RECORDS = (
    traced_record(0, PARENTS[0], ("tracestate", b"vendor=1")),
    traced_record(1, PARENTS[1]),
    traced_record(2, PARENTS[1]),
    traced_record(3, "broken"),
    replace(poison_record(4), headers=(("traceparent", PARENTS[0].encode()),)),
)


@dataclass
class ListeningNotes(Notes):
    """An observer that keeps what a log line would say of traces."""

    lines: list[dict[str, object]] = field(default_factory=list)

    def run_finished(self, summary: RunSummary) -> None:
        super().run_finished(summary)
        self.lines.append(get_contextvars())


class BrokenOutbox(MemoryOutbox):
    async def publish(self, *_: object) -> None:
        raise Crash


class World:
    """A core in memory, as a worker traces it."""

    def __init__(self, executor: ThreadPoolExecutor, traced: Tracing, outbox: MemoryOutbox | None = None) -> None:
        self.ledger, self.outbox, self.notes = MemoryLedger(), outbox or MemoryOutbox(), ListeningNotes()
        made: Parts = traced.parts(parts(self.ledger, self.outbox, self.notes))
        self.core = traced.core(Core(made, executor))

    async def credit(self, *records: Record) -> object:
        await self.core.take_up([PARTITION], MemoryLog([]))
        return await self.core.credit(Run(PARTITION, records))


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(exported: InMemorySpanExporter) -> Tracing:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    spans = RunSpans(provider.get_tracer("test"), KafkaSettings(topic="images", group="workers"))
    return Tracing(spans.around_core, spans.around_parts)


def by_name(exported: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exported.get_finished_spans()}


async def test_a_run_is_a_trace_that_links_to_the_traces_of_its_events(
    executor: ThreadPoolExecutor, traced: Tracing, exported: InMemorySpanExporter
) -> None:
    await World(executor, traced).credit(*RECORDS)
    spans = by_name(exported)
    assert list(spans) == ["attribute", "publish", "commit", "process images"]
    run = spans["process images"]
    assert (run.kind, run.parent) == (SpanKind.CONSUMER, None)
    assert [format_trace_id(link.context.trace_id) for link in run.links] == TRACE_IDS
    assert run.links[0].context.trace_state.to_header() == "vendor=1"
    assert all(link.context.is_remote for link in run.links)
    told = dict(run.attributes or {})
    assert told["messaging.batch.message_count"] == 5
    assert told["messaging.destination.partition.id"] == "0"
    assert told["messaging.consumer.group.name"] == "workers"
    assert (told["gmv.next_offset"], told["gmv.standing"]) == (5, "committed")
    for name in ("attribute", "publish", "commit"):
        assert spans[name].parent == run.context
    assert dict(spans["attribute"].attributes or {}) == {"gmv.events": 4, "gmv.poison": 0}
    assert (spans["publish"].attributes or {})["gmv.dead_letters"] == 1
    assert (spans["commit"].attributes or {})["gmv.answer"] == "committed"


async def test_spans_change_nothing_and_receipts_are_the_same_bytes_however_they_are_traced(
    executor: ThreadPoolExecutor, traced: Tracing
) -> None:
    untraced = [replace(record, headers=()) for record in RECORDS[:4]]
    worlds = [World(executor, way) for way in (Tracing(), traced, traced)]
    for world, records in zip(worlds, (RECORDS, RECORDS, [*untraced, RECORDS[4]]), strict=True):
        await world.credit(*records)
    first, *others = worlds
    for other in others:
        assert other.ledger.totals == first.ledger.totals
        assert other.ledger.state == first.ledger.state
        assert [each.value for each in other.outbox.receipts] == [each.value for each in first.outbox.receipts]
    traces = [[each.trace.traceparent if each.trace else None for each in world.outbox.receipts] for world in worlds]
    assert traces == [[PARENTS[0], PARENTS[1], PARENTS[1], None]] * 2 + [[None] * 4]


async def test_log_lines_say_whose_traces_a_run_was_of(
    executor: ThreadPoolExecutor, traced: Tracing, exported: InMemorySpanExporter
) -> None:
    plain, with_spans, without_traces = World(executor, Tracing()), World(executor, traced), World(executor, Tracing())
    await plain.credit(*RECORDS)
    await with_spans.credit(*RECORDS)
    await without_traces.credit(event_record(0, "event"))
    run = by_name(exported)["process images"].context
    assert run
    ours = {"trace_id": format_trace_id(run.trace_id), "span_id": format_span_id(run.span_id)}
    assert plain.notes.lines == [{"event_trace_ids": TRACE_IDS}]
    assert with_spans.notes.lines == [{"event_trace_ids": TRACE_IDS, **ours}]
    assert without_traces.notes.lines == [{}]
    assert get_contextvars() == {}


async def test_a_run_that_is_not_committed_says_so(
    executor: ThreadPoolExecutor, traced: Tracing, exported: InMemorySpanExporter
) -> None:
    world = World(executor, traced)
    await world.core.take_up([PARTITION], MemoryLog([]))
    world.ledger.state[0] = replace(START, next_offset=9)
    await world.core.credit(Run(PARTITION, (event_record(0, "event"),)))
    assert (by_name(exported)["process images"].attributes or {})["gmv.standing"] == "fenced"


async def test_a_failure_ends_its_spans_with_an_error(
    executor: ThreadPoolExecutor, traced: Tracing, exported: InMemorySpanExporter
) -> None:
    world = World(executor, traced, BrokenOutbox())
    with pytest.raises(Crash):
        await world.credit(event_record(0, "event"))
    spans = by_name(exported)
    assert {name: span.status.status_code is StatusCode.ERROR for name, span in spans.items()} == {
        "attribute": False,
        "publish": True,
        "process images": True,
    }


def test_spans_without_opentelemetry_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with tracing(load(environment={})) as off:
        assert off == Tracing()
    with (
        pytest.raises(InvalidSettings, match=r"pip install 'gmv\[tracing\]'"),
        tracing(load(environment={"GMV_TRACING_ENABLED": "true"})),
    ):
        pass
