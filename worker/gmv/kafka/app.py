"""The Faust app: supervision, signals, graceful stop, web pages and the producer. The pump reads; Faust does not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faust
from faust.web import Request, Response, View

from gmv.kafka.access import connection
from gmv.kafka.topics import DEAD_LETTER_HEADERS_BYTES
from gmv.settings import KafkaSettings, Settings

_BATCH_BYTES = 2**18
"""Of receipts sent to one partition at once, a quarter of what topics take by default. With the client's own 16 KiB a
run's receipts took a dozen round trips, and half as long again."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a web page answers.

    Attributes:
        status: HTTP status.
        body: the answer.
        content_type: of the body.
    """

    status: int
    body: bytes
    content_type: str


class _FoldersThatAreThere(faust.Settings):
    """Faust makes folders for tables and keeps nothing in them here; a killed worker would leave them behind."""

    def data_directory_for_version(self, version: int) -> Path:
        return self.datadir


class _App(faust.App):
    Settings = _FoldersThatAreThere


def make_app(settings: Settings, pages: dict[str, Callable[[], Page]]) -> faust.App:
    """Make the app with its pages; topics are never created and nothing is consumed by Faust itself.

    Args:
        settings: brokers, group and where the web pages are served.
        pages: path -> what it answers; called on the event loop, so a blocked loop fails its probes.
    """
    kafka, worker = settings.kafka, settings.worker
    app = _App(
        kafka.group,
        broker=[f"kafka://{broker}" for broker in connection(kafka)["bootstrap_servers"]],
        broker_credentials=_credentials(kafka),
        store="memory://",
        datadir="/",
        tabledir="/",
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        producer_acks=-1,
        producer_request_timeout=kafka.retry_seconds,
        producer_max_batch_size=_BATCH_BYTES,
        producer_max_request_size=settings.images.record_bytes_max + DEAD_LETTER_HEADERS_BYTES,
        web_enabled=True,
        web_bind=worker.web_bind,
        web_port=worker.web_port,
        web_router_enabled=False,
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.producer_only = True
    for path, answer in pages.items():
        _add_page(app, path, answer)
    return app


def _credentials(kafka: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    options = connection(kafka)
    match kafka.security_protocol:
        case "PLAINTEXT":
            return None
        case "SSL":
            return faust.SSLCredentials(options["ssl_context"])
        case "SASL_SSL":
            return faust.SASLCredentials(
                mechanism=options["sasl_mechanism"],
                username=options["sasl_plain_username"],
                password=options["sasl_plain_password"],
                ssl_context=options["ssl_context"],
            )


def _add_page(app: faust.App, path: str, answer: Callable[[], Page]) -> None:
    @app.page(path, name=f"gmv{path.replace('/', '_')}")
    async def page(view: View, _request: Request) -> Response:
        served = answer()
        # As a header: aiohttp takes no character set in `content_type`, and Prometheus wants one.
        return view.bytes(served.body, status=served.status, headers={"Content-Type": served.content_type})
