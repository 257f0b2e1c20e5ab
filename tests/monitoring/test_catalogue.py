import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gmv import __version__
from gmv.monitoring.catalogue import AuditMetrics, Metrics, Outcome, Stage
from gmv.monitoring.exposition import render
from tests.monitoring.world import OWNERS, watched_hour
from tests.services.server import find_program
from tests.stream.world import PARTITION

BOUNDED = {"topic", "partition", "stage", "outcome", "reason", "answer", "step", "probe", "nearest", "state", "le"}
ONCE_PER_PROCESS = {"index_id", "encoder_id", "version", "python", "digest"}
BASE_UNITS = ("seconds", "records", "micros", "contributors", "partitions", "events", "complaints", "ratio", "info")
TRUTHS = {"gmv_probe_passes", "gmv_ledger_state", "gmv_index_refused"}
"""1 or 0, which have no unit."""


@pytest.fixture(params=["worker", "audit"])
async def exposition(request: pytest.FixtureRequest, executor: ThreadPoolExecutor) -> str:
    """The page of a worker after an hour, and that of an audit."""
    if request.param == "worker":
        return render((await watched_hour(executor)).registry)[0].decode()
    registry = CollectorRegistry()
    metrics = AuditMetrics(registry)
    metrics.lag_records.labels(PARTITION.topic, "0").set(3)
    metrics.headroom_records.labels(PARTITION.topic, "0").set(9)
    metrics.events.labels(Outcome.CREDITED).set(4)
    return render(registry)[0].decode()


def test_no_label_is_unbounded(exposition: str) -> None:
    for family in text_string_to_metric_families(exposition):
        allowed = ONCE_PER_PROCESS if family.name.endswith("_info") else BOUNDED
        for sample in family.samples:
            assert sample.labels.keys() <= allowed, sample


def test_no_owner_and_no_event_is_ever_told(exposition: str) -> None:
    assert 'topic="images"' in exposition
    for name in (*OWNERS, "event-one", "event-two"):
        assert name not in exposition


def test_names_follow_prometheus(exposition: str) -> None:
    families = list(text_string_to_metric_families(exposition))
    ours = [family for family in families if family.name.startswith("gmv_")]

    assert {family.name.split("_")[0] for family in families} == {"gmv", "process"}
    for family in ours:
        assert re.fullmatch(r"gmv(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        else:
            assert family.name.endswith(BASE_UNITS) or family.name in TRUTHS


@pytest.mark.servers
def test_promtool_has_nothing_to_say(exposition: str) -> None:
    command = [find_program("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=exposition, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_series_that_can_begin_at_zero_does() -> None:
    registry = CollectorRegistry()
    Metrics(registry)

    for outcome in Outcome:
        assert registry.get_sample_value("gmv_events_total", {"outcome": outcome}) == 0.0
    for stage in Stage:
        assert registry.get_sample_value("gmv_stage_failures_total", {"stage": stage}) == 0.0
        assert registry.get_sample_value("gmv_stage_seconds_count", {"stage": stage}) == 0.0


def test_the_build_is_told() -> None:
    registry = CollectorRegistry()
    Metrics(registry)

    (build,) = (family for family in registry.collect() if family.name == "gmv_build")
    assert build.samples[0].labels["version"] == __version__


def test_two_workers_in_one_process_share_nothing() -> None:
    one, other = CollectorRegistry(), CollectorRegistry()
    Metrics(one).credits_micros.inc(5)
    Metrics(other)

    assert one.get_sample_value("gmv_credits_micros_total") == 5
    assert other.get_sample_value("gmv_credits_micros_total") == 0


def test_a_scraper_that_asks_for_openmetrics_gets_it() -> None:
    registry = CollectorRegistry()
    Metrics(registry)

    body, content_type = render(registry, "application/openmetrics-text; version=1.0.0,text/plain;q=0.5")

    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_one_that_does_not_ask_gets_plain_text() -> None:
    body, content_type = render(CollectorRegistry())

    assert content_type.startswith("text/plain; version=0.0.4")
    assert body == b""
