"""What the stream bench needs and leaves behind, what its workers are told, and how its report is laid out."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gmv.bench.stream import StreamBench, new_ledger, of_its_own, variables_of, worker_process
from gmv.cli.bench.tables import stream_tables
from gmv.cli.output import render
from gmv.errors import InvalidSettings, LedgerMissing
from gmv.ledger.open import open_accounts
from gmv.monitoring.catalogue import Stage
from gmv.settings import KafkaSettings, LedgerSettings, Settings, load
from tests.cli.command import refused
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis_cluster import RedisCluster
from tests.services.secure_redis import SecureRedisServer
from tests.services.server import free_port

OTHER_THAN_DEFAULT: dict[str, Any] = {
    "index": "/index of ours",
    "images": {
        "root": "/images",
        "schemes": ["https", "s3"],
        "hosts": ["images.example", "*.cdn.example:8443"],
        "networks": ["10.1.0.0/16", "fd00::/8"],
        "bytes_max": 1_000,
        "pixels_max": 2_000,
        "attempts": 1,
    },
    "valuation": {"candidates": 7, "contributors": 3, "temperature": 0.1 + 0.2, "copies": "off", "evidence": 0.05},
    "owners": {"file": "/owners.jsonl", "opted_out": "left_out"},
    "ledger": {
        "username": "worker",
        "password_file": "/run/secrets/ledger",
        "ca_file": "/ca.pem",
        "cert_file": "/cert.pem",
        "key_file": "/key.pem",
        "url": "rediss+cluster://a:1,b:2",
        "namespace": "other",
        "retry_seconds": 1e-3,
    },
    "kafka": {
        "username": "gmv",
        "password_file": "/run/secrets/kafka",
        "ca_file": "/ca.pem",
        "cert_file": "/cert.pem",
        "key_file": "/key.pem",
        "brokers": "a:9092,b:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "topic": "other",
        "group": "other",
        "instance_id": "worker-1",
        "isolation": "read_uncommitted",
        "session_seconds": 40.0,
        "heartbeat_seconds": 4.0,
        "rebalance_seconds": 90.0,
        "run_records_max": 9,
        "retry_seconds": 3.5,
    },
    "worker": {
        "receipt_metadata_bytes_max": 7,
        "threads": 2,
        "web_bind": "::1",
        "web_port": 6067,
        "stuck_seconds": 9.0,
        "dead_letters_in_a_row_max": 5,
        "dead_letters_ratio_max": 1.0,
        "crashes_per_record_max": 1,
        "log_format": "console",
        "log_level": "debug",
    },
    "tracing": {"enabled": True},
}


def test_what_has_to_be_started_is_said(sqlite: LedgerSettings) -> None:
    assert "redis-server --port 6379" in refused(sqlite, 2, "bench", "stream", "events.jsonl")


def test_a_broker_that_is_down(redis_url: str, tmp_path: Path) -> None:
    brokers = f"127.0.0.1:{free_port()}"
    impatient = tmp_path / "gmv.toml"
    impatient.write_text("[kafka]\nretry_seconds = 0.3\n")
    arguments = ("events.jsonl", "--brokers", brokers, "--config", impatient)
    assert brokers in refused(LedgerSettings(url=redis_url), 30, "bench", "stream", *arguments)


def test_the_report_names_the_baseline_and_each_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    measured = StreamBench(
        events=2_000,
        rounds=3,
        candidates=100,
        contributors=10,
        compute_events_per_second=200.0,
        file_sqlite_events_per_second=180.0,
        kafka_redis_events_per_second=150.0,
        ratio_file_sqlite_vs_compute=0.9,
        ratio_kafka_redis_vs_compute=0.75,
        stage_seconds={Stage.RERANK: 7.5, Stage.COMMIT: 2.5},
        worker_anonymous_bytes_max=300 * 2**20,
    )
    render(measured, False, stream_tables)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["computing", "alone", "(baseline)", "200", "1.00"] in lines
    assert ["file", "to", "SQLite", "180", "0.90"] in lines
    assert ["Kafka", "to", "Redis", "150", "0.75"] in lines
    assert ["rerank", "7.50", "75.0%"] in lines
    assert lines[-1][-4:-2] == ["300", "MiB"]


def test_all_settings_are_told_by_environment() -> None:
    settings = Settings.model_validate(OTHER_THAN_DEFAULT)
    told = settings.model_dump()
    for name, value in Settings().model_dump().items():
        for field, default in value.items() if isinstance(value, dict) else [(None, value)]:
            assert (told[name][field] if field else told[name]) != default, f"{name}.{field} is not tried here"
    assert load(environment=variables_of(settings)) == settings


@pytest.mark.parametrize(
    "told",
    [{}, {"kafka": {"isolation": "read_uncommitted"}}, {"images": {"hosts": ["one.example"]}}, {"index": "relative"}],
)
def test_what_is_left_at_its_default_is_not_told(told: dict[str, Any]) -> None:
    settings = Settings.model_validate(told)
    assert len(variables_of(settings)) == len(told)
    assert load(environment=variables_of(settings)) == settings


@pytest.mark.parametrize("told", [{"worker": {"web_bind": ""}}, {"images": {"hosts": ["a.example,b.example"]}}])
def test_what_no_variable_can_say_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match="no commas inside of lists"):
        variables_of(Settings.model_validate(told))


def test_a_worker_is_told_nothing_but_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood in the environment may have been outdone by flags; a process writes down what it finds."""
    seen = tmp_path / "seen"
    (tmp_path / "writer.py").write_text(
        "import os, pathlib\n"
        "found = {name: value for name, value in os.environ.items() if name.startswith('GMV_')}\n"
        f"pathlib.Path({str(seen)!r}).write_text(str(found))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GMV_WORKER_THREADS", "7")
    with worker_process(Path("index"), Settings(), ("writer",)) as process:
        process.wait(patience(30))
    assert seen.read_text() == "{'GMV_INDEX': 'index'}"


def test_workers_of_one_bench_are_members_of_their_own() -> None:
    settings = Settings(kafka=KafkaSettings(instance_id="worker-1"))
    ours, others = of_its_own(settings), of_its_own(settings)
    assert ours.kafka.instance_id is None
    assert len({settings.kafka.topic, ours.kafka.topic, others.kafka.topic}) == 3
    assert ours.kafka.topic == ours.kafka.group == ours.ledger.namespace


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[LedgerSettings]:
    """A server that wants TLS, a certificate and a password."""
    password = tmp_path / "password"
    password.write_text("s3cret words")
    with SecureRedisServer() as server:
        ours = server.authority.issue("bench")
        server.client().config_set("requirepass", "s3cret words")
        yield LedgerSettings(
            url=server.url,
            password_file=password,
            ca_file=server.authority.file,
            cert_file=ours.file,
            key_file=ours.key,
            retry_seconds=patience(5),
        )


@pytest.fixture
def clustered(redis_cluster: RedisCluster) -> LedgerSettings:
    return LedgerSettings(url=redis_cluster.url, retry_seconds=patience(5))


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["guarded", "clustered"])
def test_a_ledger_is_made_and_removed_by_the_same_rights(
    request: pytest.FixtureRequest, kafka: KafkaBroker, topic: TopicFactory, kind: str
) -> None:
    settings = of_its_own(Settings(ledger=request.getfixturevalue(kind)))
    name = topic(2)
    settings = settings.model_copy(update={"kafka": KafkaSettings(brokers=kafka.address, topic=name)})
    with new_ledger(settings), closing(open_accounts(settings.ledger)) as accounts:
        assert set(accounts.positions()) == {(name, 0), (name, 1)}
    with closing(open_accounts(settings.ledger)) as accounts, pytest.raises(LedgerMissing):
        accounts.positions()
