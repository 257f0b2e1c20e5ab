"""What the stream bench needs, and how its report is laid out."""

from pathlib import Path

import pytest

from gmv.cli.bench_tables import stream_tables
from gmv.cli.output import print_for_people
from gmv.settings import LedgerSettings
from tests.cli.command import refused
from tests.services.server import free_port


def test_what_has_to_be_started_is_said(sqlite: LedgerSettings) -> None:
    assert "redis-server --port 6379" in refused(sqlite, 2, "bench", "stream", "events.jsonl")


def test_a_broker_that_is_down(redis_url: str, tmp_path: Path) -> None:
    brokers = f"127.0.0.1:{free_port()}"
    impatient = tmp_path / "gmv.toml"
    impatient.write_text("[kafka]\nretry_seconds = 0.3\n")
    arguments = ("events.jsonl", "--brokers", brokers, "--config", impatient)
    assert brokers in refused(LedgerSettings(url=redis_url), 30, "bench", "stream", *arguments)


def test_the_report_names_the_baseline_and_each_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "events": 2_000,
        "candidates": 100,
        "contributors": 10,
        "compute_events_per_second": 200.0,
        "file_sqlite_events_per_second": 180.0,
        "unprotected_events_per_second": 160.0,
        "kafka_redis_events_per_second": 150.0,
        "ratio_kafka_redis_vs_unprotected": 150.0 / 160.0,
        "stage_seconds": {"rerank": 7.5, "commit": 2.5},
        "worker_anonymous_bytes_max": 300 * 2**20,
    }
    print_for_people(stream_tables(told))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["computing", "alone", "(baseline)", "200", "1.00"] in lines
    assert ["file", "to", "SQLite", "180", "0.90"] in lines
    assert ["Kafka", "to", "Redis", "150", "0.75"] in lines
    assert ["Event", "ids", "and", "receipts", "leave", "94%"] in [line[:6] for line in lines]
    assert ["rerank", "7.50", "75.0%"] in lines
    assert lines[-1][-4:-2] == ["300", "MiB"]
