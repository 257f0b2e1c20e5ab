"""Tracing, put together: which decorators a worker's core and parts get, and where spans go."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gmv import __version__
from gmv.errors import InvalidSettings
from gmv.monitoring.tracing import LoggedTraces
from gmv.settings import Settings
from gmv.stream.core import Parts
from gmv.stream.ports import Creditor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME: Final = "gmv-worker"  # where OTEL_SERVICE_NAME names no other
_SHUTDOWN_SECONDS_MAX: Final = 3.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """What is put around a worker."""

    core: Callable[[Creditor], Creditor] = LoggedTraces
    parts: Callable[[Parts], Parts] = lambda parts: parts


@contextmanager
def tracing(settings: Settings) -> Iterator[Tracing]:
    """Trace a worker: in log lines always, by spans where the settings say so.

    Spans are sent from a thread of their own. A collector that is away costs spans, and at the end 3 s; never a run.

    Raises:
        InvalidSettings: spans are wanted and OpenTelemetry is not installed.
    """
    if not settings.tracing.enabled:
        yield Tracing()
        return
    try:
        from gmv.monitoring.spans import RunSpans

        provider = _provider(settings)
    except ImportError as missing:
        raise InvalidSettings(
            f"tracing.enabled is true, and {missing.name} is not installed: pip install 'gmv[tracing]', "
            "or set tracing.enabled to false"
        ) from missing
    spans = RunSpans(provider.get_tracer("gmv", __version__), settings.kafka)
    try:
        yield Tracing(spans.around_core, spans.around_parts)
    finally:
        # For as long as OpenTelemetry tries a collector that is away, half a minute, no worker may be kept from ending.
        shutting_down = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        shutting_down.start()
        shutting_down.join(_SHUTDOWN_SECONDS_MAX)


def _provider(settings: Settings) -> "TracerProvider":
    """Return a provider that exports by OTLP over HTTP; sampler, limits, address and pauses are OTEL_… variables."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours: dict[str, str | bool | int | float] = {"service.name": SERVICE_NAME, "service.version": __version__}
    if settings.kafka.instance_id:
        ours["service.instance.id"] = settings.kafka.instance_id
    provider = TracerProvider(resource=Resource(ours).merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
