"""What watches a worker: metrics, health and logs, and the pages that show them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from gmv.kafka.app import Page
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.exposition import render
from gmv.monitoring.health import Health, Verdict
from gmv.monitoring.watcher import Logger, Watcher
from gmv.settings import Settings


class Watch:
    """Everything that watches one worker.

    Attributes:
        metrics: of this worker, on a registry of its own.
        health: what probes are answered from.
        watcher: the core's observer.
    """

    def __init__(self, settings: Settings, log: Logger) -> None:
        self._registry = CollectorRegistry()
        self.metrics = Metrics(self._registry)
        self.health = Health(settings.worker.stuck_seconds)
        self.watcher = Watcher(self.metrics, self.health, log)

    def pages(self) -> dict[str, Callable[[], Page]]:
        """Return the worker's pages: path -> what it answers."""

        def metrics() -> Page:
            body, content_type = render(self._registry)
            return Page(200, body, content_type)

        return {
            "/metrics": metrics,
            "/livez": lambda: _verdict_page(self.health.live()),
            "/readyz": lambda: _verdict_page(self.health.ready()),
        }


def _verdict_page(verdict: Verdict) -> Page:
    status, body = verdict.page()
    return Page(status, body, "application/json")
