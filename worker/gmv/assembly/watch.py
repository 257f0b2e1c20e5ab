"""What watches a worker: metrics, health and logs, and the pages that show them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from gmv.kafka.app import Page
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.exposition import render
from gmv.monitoring.health import Health, Verdict
from gmv.monitoring.reachability import Logger, Reachability
from gmv.monitoring.watcher import Watcher
from gmv.settings import Settings, redact


class Watch:
    """Everything that watches one worker.

    Attributes:
        metrics: of this worker, on a registry of its own.
        kafka: whether it answers.
        ledger: whether its server answers.
        health: what probes are answered from.
        watcher: the core's observer.
    """

    def __init__(self, settings: Settings, log: Logger) -> None:
        self._registry = CollectorRegistry()
        self.metrics = Metrics(self._registry)
        self.kafka = Reachability("Kafka", settings.kafka.brokers, log)
        self.ledger = Reachability("the ledger", redact(settings.ledger.url), log)
        self.health = Health(settings.worker.stuck_seconds, (self.kafka, self.ledger))
        self.watcher = Watcher(self.metrics, self.health, log)

    def look(self) -> None:
        """Write the lines that are due by now. Call it about every second."""
        self.kafka.look()
        self.ledger.look()
        self.watcher.look()

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
