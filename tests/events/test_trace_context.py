"""W3C Trace Context: what is valid is read as OpenTelemetry reads it, and what is not is as good as absent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.trace import format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gmv.events.cloudevents import decode, trace_of
from gmv.events.encoding import binary
from gmv.events.model import GeneratedImage, ImageUri
from gmv.events.trace_context import TraceContext, trace_context

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{'a' * 32}-{SPAN}-00"
INVALID = [
    "",
    TRACE,
    VALID.upper(),
    f" {VALID}",
    f"{VALID}\n",
    f"{VALID}-",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE}-{SPAN}-1",
    f"00-{TRACE}-{SPAN}-01-more",
    f"01-{TRACE}-{SPAN}-01.more",
    f"00-{'٣' * 32}-{SPAN}-01",
]


@pytest.mark.parametrize(
    "text", [VALID, f"00-{TRACE}-{SPAN}-ff", f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-more"]
)
def test_valid_ones_are_handed_on_as_they_are(text: str) -> None:
    found = trace_context([("traceparent", text.encode())])
    assert found == TraceContext(text)
    assert (found.trace_id, found.headers()) == (TRACE, {"traceparent": text.encode()})


@pytest.mark.parametrize("text", INVALID)
def test_an_invalid_one_is_none_and_takes_its_state_along(text: str) -> None:
    assert trace_context([("traceparent", text.encode()), ("tracestate", b"a=1")]) is None


def test_a_repeated_or_empty_one_is_none() -> None:
    assert trace_context([("traceparent", VALID.encode())] * 2) is None
    assert trace_context([("traceparent", None)]) is None
    assert trace_context([("traceparent", b"\xff\xfe")]) is None
    assert trace_context([("Traceparent", VALID.encode())]) is None, "header names of Kafka have a case"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([b"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ([b"a=1", b"b=2"], "a=1,b=2"),
        ([b" a=1 ,\t,b=x y "], "a=1,b=x y"),
        ([b"tenant@system=1"], "tenant@system=1"),
        ([b"a=1,a=2"], ""),
        ([b"A=1"], ""),
        ([b"a=1,b"], ""),
        ([b"a=1=2"], ""),
        ([b"a="], ""),
        (["a=é".encode()], ""),
        ([",".join(f"k{number}=1" for number in range(33)).encode()], ""),
        ([b"a=" + b"x" * 256 + b",b=" + b"x" * 256], ""),
        ([None], ""),
    ],
)
def test_a_state_is_handed_on_whole_or_not_at_all(told: list[bytes | None], state: str) -> None:
    found = trace_context([("traceparent", VALID.encode()), *(("tracestate", each) for each in told)])
    assert found == TraceContext(VALID, state)


@given(st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_opentelemetry_reads_the_same_trace(text: str) -> None:
    theirs = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text}, Context()))
    ours = trace_context([("traceparent", text.encode())])
    context = theirs.get_span_context()
    assert (ours.trace_id if ours else None) == (format_trace_id(context.trace_id) if context.is_valid else None)


def test_the_header_says_more_than_the_events_own_attribute() -> None:
    attribute, header = ("ce_traceparent", OTHER.encode()), ("traceparent", VALID.encode())
    assert trace_of([attribute, header]) == TraceContext(VALID)
    assert trace_of([attribute, ("ce_tracestate", b"a=1")]) == TraceContext(OTHER, "a=1")
    assert trace_of([attribute, ("traceparent", b"broken")]) == TraceContext(OTHER)
    assert trace_of([]) is None


@pytest.mark.parametrize(
    "headers",
    [
        [("traceparent", b"\xff")],
        [("traceparent", VALID.encode())] * 2,
        [("ce_traceparent", b"\xff")],
        [("ce_traceparent", VALID.encode())] * 2,
        [("ce_tracestate", b"\xff"), ("ce_tracestate", None)],
        [("ce_traceparent", None)],
    ],
)
def test_no_event_is_poison_for_its_tracing(headers: list[tuple[str, bytes | None]]) -> None:
    event = GeneratedImage("/camera", "1", ImageUri("file:///1.png"))
    message = binary(event)
    found = decode(message.value, [*message.headers, *headers])
    assert (found.event_id, found.traceparent) == ("1", None)
