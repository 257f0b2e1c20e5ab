"""A worker and an audit as compose runs them, under load, killed and started again: `make ops-test`."""

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gmv.corpus.port import image_files
from gmv.demo.remix import png
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from tests.conftest import TopicFactory
from tests.corpus.corpora import opened
from tests.end_to_end.command import gmv
from tests.end_to_end.conftest import small_index  # noqa: F401 - a fixture
from tests.ops.world import ROOT, World
from tests.services.kafka import KafkaBroker
from tests.services.server import wait_for

FOLDER = ROOT / "helm" / "gmv" / "files" / "dashboards"
ROUNDS = 4  # of 40 images
VARIABLES = {
    "namespace": ".*",  # as Grafana puts "All"
    "job": "gmv",
    "instance": ".+",
    "__rate_interval": "10s",
}


@pytest.fixture
def world(
    small_index: Index,  # noqa: F811
    kafka: KafkaBroker,
    topic: TopicFactory,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    name = topic(2)
    kafka.create_topic(f"{name}.attributions", 1)
    kafka.create_topic(f"{name}.dlq", 1)
    settings = {
        "GMV_INDEX": str(small_index.path),
        "GMV_KAFKA_BROKERS": kafka.address,
        "GMV_KAFKA_TOPIC": name,
        "GMV_KAFKA_GROUP": name,
        "GMV_KAFKA_SESSION_SECONDS": "6",
        "GMV_LEDGER_URL": redis_url,
        "GMV_LEDGER_NAMESPACE": name,
        "GMV_VALUATION_CANDIDATES": "30",
    }
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    gmv("ledger", "init", "--topic", name)
    with ExitStack() as stack:
        yield World(settings, tmp_path, stack)


def emit(index: Index, folder: Path, first: int, rounds: int) -> None:
    """Send every training image so many times, one of them twice, and records that are no events."""
    limits = ImageLimits(10**6, 10**6)
    files = [
        png(decode_image(image.content, limits)) for image in image_files(opened(index.path.parent / "corpus.parquet"))
    ]
    lines = [
        structured(GeneratedImage("/ops", f"event-{number}-{place}", ImageBytes(file)))
        for number in range(first, first + rounds)
        for place, file in enumerate(files)
    ]
    path = folder / "events.jsonl"
    path.write_bytes(b"\n".join([*lines, lines[0], b"{broken", b"[]"]))
    gmv("emit", "--raw", path)


def queries() -> list[tuple[str, str]]:
    """Every query of every dashboard, as it lies in the chart, with a name."""
    return [
        (f"{path.stem}: {panel['title']}: {target['legendFormat']}", target["expr"])
        for path in sorted(FOLDER.glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", ())
    ]


def filled_in(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(f"${variable}", value)
    return expression


def without_data(world: World) -> list[str]:
    """Names of the queries that show nothing of the last 20 s."""
    return [
        name
        for name, expression in queries()
        if not any(
            math.isfinite(float(value))
            for series in world.range(filled_in(expression), 20.0)
            for _, value in series["values"]
        )
    ]


def test_every_panel_shows_something_and_a_killed_worker_is_an_alert_until_it_is_back(
    world: World,
    small_index: Index,  # noqa: F811
    tmp_path: Path,
) -> None:
    prometheus = world.prometheus
    wait_for(lambda: world.probe("readyz") == 200, 120, "the worker ready")
    assert world.probe("livez") == 200
    emit(small_index, tmp_path, 0, ROUNDS)
    credited = 'sum(gmv_events_total{outcome="credited"}) >= '
    wait_for(lambda: prometheus.query(credited + str(40 * ROUNDS)), 60, "all events credited")
    wait_for(lambda: prometheus.query("gmv_ledger_checked_timestamp_seconds > 0"), 20, "a check of the ledger")
    wait_for(lambda: not without_data(world), 15, f"data in every panel, which {without_data(world)} lack")
    assert prometheus.alerts() <= {"GmvDeadLetterRatio"}

    world.kill_worker()
    assert (world.probe("livez"), world.probe("readyz")) == (0, 0)
    emit(small_index, tmp_path, ROUNDS, 1)
    wait_for(lambda: "GmvNoWorker" in prometheus.alerts(), 30, "the alert")

    world.start_worker()
    wait_for(lambda: world.probe("readyz") == 200, 120, "the worker ready again")
    wait_for(lambda: "GmvNoWorker" not in prometheus.alerts(), 20, "no alert")
    wait_for(lambda: prometheus.query("sum(gmv_ledger_lag_records) == 0"), 30, "the log's end")
    assert prometheus.query("max(gmv_ledger_complaints) == 0")
    report = tmp_path / "report.html"
    of_the_drill = ("--hours", "0.05", "--scrape-seconds", "0.5", "--json")
    told = json.loads(gmv("report", "--prometheus", prometheus.url, "--out", report, *of_the_drill))
    assert told["panels"] > 30
    page = report.read_text()
    assert "no data" not in page
    assert "GmvNoWorker" in page
