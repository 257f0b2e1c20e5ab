"""An audit, put together: settings in, a page for Prometheus out."""

import time

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts, open_ledger
from gmv.monitoring import logging
from gmv.monitoring.audit import Audit
from gmv.monitoring.catalogue import AuditMetrics
from gmv.settings import Settings


def run_audit(settings: Settings, look_every_seconds: float, check_every_seconds: float, web_port: int) -> None:
    """Look and check until the process is ended, and serve what was found.

    Args:
        settings: of everything; the page is served where a worker's would be, `worker.web_bind`.
        look_every_seconds: pause between two looks.
        check_every_seconds: pause between two checks.
        web_port: of the page.
    """
    logging.configure(settings.worker.log_format, settings.worker.log_level)
    log = structlog.get_logger("gmv.audit")
    registry = CollectorRegistry()
    audit = Audit(
        lambda: open_ledger(settings.ledger),
        lambda: open_accounts(settings.ledger),
        lambda: describe_topic(settings.kafka),
        AuditMetrics(registry),
        log,
    )
    start_http_server(web_port, settings.worker.web_bind, registry)
    log.info("audit_started", settings=settings.redacted())
    check_at = time.monotonic()
    try:
        while True:
            audit.examine()
            if time.monotonic() >= check_at:
                audit.check()
                check_at = time.monotonic() + check_every_seconds
            time.sleep(look_every_seconds)
    finally:
        logging.say_held_back()
        log.info("audit_stopped")
