"""`gmv bench latency` over real servers and workers: each event is seen, once, and by gmv's own histogram as well."""

import os
from pathlib import Path

import pytest
from redis import Redis

from gmv.bench.own import OWN_PREFIX
from gmv.events.encoding import event_of_image, structured
from gmv.index.opened import Index
from tests.end_to_end.command import gmv_json
from tests.events.samples import png
from tests.services.kafka import KafkaBroker

pytestmark = pytest.mark.servers

SECONDS, PER_SECOND = 3, 40


@pytest.mark.parametrize("workers", [1, 2])
def test_each_event_is_measured_and_nothing_is_left_behind(
    kafka: KafkaBroker, redis_url: str, small_index: Index, tmp_path: Path, workers: int
) -> None:
    lines = [structured(event_of_image(png(colour), "/test", colour)) for colour in ("red", "teal", "olive")]
    (events := tmp_path / "events.jsonl").write_bytes(b"\n".join([lines[0], b"{broken", *lines[1:]]))
    bench = gmv_json(
        *("bench", "latency", events, "--index", small_index.path, "--brokers", kafka.address, "--ledger", redis_url),
        *("--workers", workers, "--seconds", SECONDS, "--per-second", PER_SECOND, "--warm-up-seconds", 1),
    )
    assert (bench["events"], bench["workers"]) == (SECONDS * PER_SECOND, workers)
    assert bench["histogram_events"] == bench["events"], "nothing of the warm-up, and no event twice"
    assert bench["events_per_second"] == pytest.approx(PER_SECOND, rel=0.2)
    assert 0 < bench["p50_ms"] <= bench["p90_ms"] <= bench["p99_ms"] <= bench["max_ms"]
    assert 0 < bench["histogram_p50_ms"] <= bench["histogram_p99_ms"]
    assert {"encode", "publish", "commit"} <= bench["stage_ms_per_run"].keys()
    assert 0 < bench["worker_cores"] < (os.cpu_count() or 1)
    assert 1 <= bench["events_per_run"] <= bench["events"]
    with Redis.from_url(redis_url) as redis, kafka.admin() as admin:
        assert redis.keys(f"{OWN_PREFIX}*") == []
        assert not [topic for topic in admin.list_topics() if topic.startswith(OWN_PREFIX)]
