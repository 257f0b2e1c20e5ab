"""A worker that is traced, over a real Kafka, into a collector that goes away: `make ops-test`."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
from kafka import KafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gmv.corpus.port import image_files
from gmv.demo.remix import png
from gmv.events.encoding import KafkaMessage, binary
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from tests.conftest import TopicFactory
from tests.corpus.corpora import opened
from tests.end_to_end.command import command, gmv
from tests.end_to_end.conftest import small_index  # noqa: F401 - a fixture
from tests.kafka.world import reading
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import free_port, mortal, wait_for

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = [("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01".encode()), ("tracestate", b"vendor=1")]
BROKEN = [("traceparent", b"\xff\xfe"), ("tracestate", b"vendor=1")]
SECONDS_TO_END_MAX = 15.0


class Collector:
    """An OTLP receiver that keeps the spans it was sent."""

    def __init__(self) -> None:
        spans: list[Span] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
                spans.extend(span for each in sent.resource_spans for scope in each.scope_spans for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.spans = spans
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def go_away(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def worker(log: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    words = mortal(command("worker", "--web-port", free_port()))
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file, env=os.environ | environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def events_of(index: Index, count: int) -> list[KafkaMessage]:
    images = list(image_files(opened(index.path.parent / "corpus.parquet")))[:count]
    files = [png(decode_image(image.content, ImageLimits(10**6, 10**6))) for image in images]
    return [binary(GeneratedImage("/ops", f"event-{place}", ImageBytes(file))) for place, file in enumerate(files)]


def receipts_of(kafka: KafkaBroker, name: str) -> dict[bytes, dict[str, bytes]]:
    with reading(kafka.address, f"{name}.attributions") as receipts:
        return {receipt.key: dict(receipt.headers) for receipt in receipts}


def test_a_trace_goes_through_a_worker_and_a_collector_that_is_away_holds_nobody_up(
    small_index: Index,  # noqa: F811
    kafka: KafkaBroker,
    topic: TopicFactory,
    redis_url: str,
    tmp_path: Path,
) -> None:
    name, collector, log = topic(1), Collector(), tmp_path / "worker.log"
    kafka.create_topic(f"{name}.attributions", 1)
    kafka.create_topic(f"{name}.dlq", 1)
    environment = {
        "GMV_INDEX": str(small_index.path),
        "GMV_KAFKA_BROKERS": kafka.address,
        "GMV_KAFKA_TOPIC": name,
        "GMV_KAFKA_GROUP": name,
        "GMV_LEDGER_URL": redis_url,
        "GMV_LEDGER_NAMESPACE": name,
        "GMV_TRACING_ENABLED": "true",
        "GMV_WORKER_LOG_LEVEL": "debug",  # the line of each run
        "GMV_VALUATION_CANDIDATES": "30",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    }
    gmv("ledger", "init", "--topic", name, environment=environment)
    first, second, third = events_of(small_index, 3)
    producer = KafkaProducer(bootstrap_servers=kafka.address, acks="all")
    producer.send(name, first.value, key=first.key, headers=[*first.headers, *TRACED])
    producer.send(name, second.value, key=second.key, headers=[*second.headers, *BROKEN])
    producer.send(name, b"{broken", headers=TRACED)
    producer.flush()

    with worker(log, environment) as process:
        wait_for(lambda: collector.named(f"process {name}"), 120, "the span of a run")
        collector.go_away()
        producer.send(name, third.value, key=third.key, headers=[*third.headers, *TRACED])
        producer.close()
        wait_for(lambda: len(receipts_of(kafka, name)) == 3, 30, "a run that nobody is told of")
        asked_to_end = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience(60)) == 0, log.read_text()
        assert time.monotonic() - asked_to_end < SECONDS_TO_END_MAX  # a drill has the machine for itself

    json_type = {"content-type": b"application/json"}
    traced, untraced = {**json_type, **dict(TRACED)}, json_type
    assert receipts_of(kafka, name) == {b"event-0": traced, b"event-1": untraced, b"event-2": traced}
    with reading(kafka.address, f"{name}.dlq") as letters:
        assert [list(letter.headers)[:2] for letter in letters] == [TRACED]
    runs = [line for each in log.read_text().splitlines() if (line := orjson.loads(each))["event"] == "run_finished"]
    assert [line["event_trace_ids"] for line in runs] == [[TRACE_ID]] * 2
    (run,) = collector.named(f"process {name}")
    assert (run.trace_id.hex(), run.span_id.hex()) == (runs[0]["trace_id"], runs[0]["span_id"])
    assert [link.trace_id.hex() for link in run.links] == [TRACE_ID]
    children = {span.name for span in collector.spans if span.parent_span_id == run.span_id}
    assert children == {"attribute", "publish", "commit"}
