"""The section `tracing`."""

from pydantic import Field

from gmv.settings.section import Section


class TracingSettings(Section):
    """Spans of OpenTelemetry; nothing here changes a credit."""

    enabled: bool = Field(
        False,
        description="Whether spans of each run are sent by OTLP over HTTP, to where `OTEL_…` variables say. Needs the "
        "extra `tracing`.",
    )
