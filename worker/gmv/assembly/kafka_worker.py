"""A Kafka worker, put together: settings in, credits out, with its metrics, health, logs and pages."""

from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry

from gmv import __version__
from gmv.assembly.index import Index
from gmv.assembly.parts import assemble_parts
from gmv.assembly.tracing import tracing
from gmv.ledger.port import Ledger
from gmv.monitoring import logging
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.exposition import render
from gmv.monitoring.health import Health, Verdict
from gmv.monitoring.watcher import Watcher
from gmv.settings import Settings
from gmv.stream.core import Parts
from gmv.stream.kafka.app import Page
from gmv.stream.kafka.worker import run_worker
from gmv.stream.ports import Outbox


def run_kafka_worker(
    settings: Settings,
    index: Index,
    ledger: Ledger,
    around_outbox: Callable[[Outbox], Outbox] = lambda outbox: outbox,
) -> None:
    """Credit the topic until a signal or a failure.

    Args:
        settings: of everything.
        index: opened and verified.
        ledger: initialised for the topic.
        around_outbox: puts a decorator around the outbox.

    Raises:
        Refusal: what ended the worker.
    """
    logging.configure(settings.worker.log_format, settings.worker.log_level)
    log = structlog.get_logger("gmv.worker")
    log.info("worker_started", version=__version__, index_id=index.index_id, settings=settings.redacted())
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.index.info({"index_id": index.index_id, "encoder_id": index.encoder.encoder_id})
    measured = index.manifest.recall.measured
    for nearest, ratio in ((1, measured.nearest_1), (10, measured.nearest_10), (100, measured.nearest_100)):
        metrics.index_recall_ratio.labels(str(nearest)).set(ratio)
    health = Health(settings.worker.stuck_seconds)
    health.index_loaded()
    watcher = Watcher(metrics, health, log)

    try:
        with tracing(settings) as traced:

            def make_parts(outbox: Outbox) -> Parts:
                parts = assemble_parts(index, ledger, around_outbox(outbox), watcher, watcher.clock, metrics, settings)
                return traced.parts(parts)

            run_worker(settings, make_parts, _pages(registry, health), traced.core)
    except Exception as failure:
        log.error("worker_failed", reason=str(failure))  # noqa: TRY400 - the traceback is told by whoever catches it
        raise
    log.info("worker_stopped")


def _pages(registry: CollectorRegistry, health: Health) -> dict[str, Callable[[], Page]]:
    def metrics() -> Page:
        body, content_type = render(registry)
        return Page(200, body, content_type)

    return {
        "/metrics": metrics,
        "/livez": lambda: _verdict_page(health.live()),
        "/readyz": lambda: _verdict_page(health.ready()),
    }


def _verdict_page(verdict: Verdict) -> Page:
    status, body = verdict.page()
    return Page(status, body, "application/json")
