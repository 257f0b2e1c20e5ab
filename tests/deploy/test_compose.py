"""compose.yaml and what it mounts: valid, at one with gmv, and taken by a real Kafka, Redis and Prometheus."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from gmv import settings
from gmv.cli import load
from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts
from tests.deploy.rendered_chart import ROOT, manifests, worker
from tests.services.go_tools import find_tool
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import find_program

DOCKER = ROOT / "docker"
GMV = Path(sys.executable).with_name("gmv")
ADDRESSES = ("listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """As the library of `docker compose` itself reads it: paths whole, references followed, nothing unknown."""
    command = [find_tool("compose-spec"), "--format", "json", "compose.yaml"]
    done = subprocess.run(command, cwd=DOCKER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = project["services"]
    return found


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services.items() if "build" in service}


def test_everything_is_there_that_one_needs_to_see_panels_move(services: dict[str, dict[str, Any]]) -> None:
    assert services.keys() == {
        *("kafka", "redis", "prometheus", "grafana"),
        *("demo", "topics", "ledger-init", "worker", "audit", "producer"),
    }


def test_what_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [
        Path(volume["source"])
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]
    assert mounted
    assert [path for path in mounted if not path.exists()] == []


def test_images_are_pinned_and_ports_are_this_machines(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert ":" in service["image"].rpartition("/")[2], name
        assert not service["image"].endswith(":latest"), name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", []))


def test_containers_of_gmv_are_as_locked_up_as_the_charts(services: dict[str, dict[str, Any]]) -> None:
    for service in ours(services).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["build"]["dockerfile"] == "docker/Dockerfile"
        assert Path(service["build"]["context"]) == ROOT
    pod, _ = worker(manifests("small"))
    assert services["worker"]["stop_grace_period"] == f"{pod['terminationGracePeriodSeconds']}s"


def test_every_command_is_one_of_gmv(services: dict[str, dict[str, Any]]) -> None:
    for service in ours(services).values():
        if service.get("entrypoint"):  # not gmv
            continue
        name, *rest = service["command"]
        command = load(name)
        if rest and hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(name, rest)


def test_settings_name_the_other_containers(services: dict[str, dict[str, Any]]) -> None:
    read = settings.load(DOCKER / "gmv.toml", environment={})
    assert read.kafka.brokers.split(":")[0] in services
    assert read.ledger.url.split("/")[2].split(":")[0] in services
    assert read.kafka.topic in services["ledger-init"]["command"]
    assert str(read.index) == services["demo"]["command"][2] + "/index"


def test_prometheus_takes_its_configuration_and_scrapes_every_worker(services: dict[str, dict[str, Any]]) -> None:
    config = DOCKER / "prometheus.yml"
    done = subprocess.run(
        [find_program("promtool"), "check", "config", "--syntax-only", config], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    parsed = yaml.safe_load(config.read_text())
    targets = {volume["target"] for volume in services["prometheus"]["volumes"]}
    assert {*parsed["rule_files"]} <= targets
    workers, audit = parsed["scrape_configs"]
    (discovery,) = workers["dns_sd_configs"]
    assert discovery["names"] == ["worker"]
    assert discovery["port"] == settings.load(DOCKER / "gmv.toml", environment={}).worker.web_port
    (port,) = (option.default for option in load("ledger").commands["audit"].params if option.name == "web_port")
    assert audit["static_configs"] == [{"targets": [f"audit:{port}"]}]


def test_grafana_is_told_of_prometheus_and_of_the_dashboards(services: dict[str, dict[str, Any]]) -> None:
    provisioning = DOCKER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"].split("/")[2].split(":")[0] in services
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "gmv.yaml").read_text())["providers"]
    mounted = {volume["target"]: Path(volume["source"]) for volume in services["grafana"]["volumes"]}
    dashboards = mounted[provider["options"]["path"]]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (dashboards / Path(home).name).is_file()
    assert home.startswith(provider["options"]["path"])


@pytest.fixture(scope="module")
def environment(services: dict[str, dict[str, Any]]) -> Iterator[dict[str, str]]:
    """A Kafka and a Redis that are told what those of the compose file are told, and where they are."""
    told = services["kafka"]["environment"].items()
    properties = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in told}
    with (
        KafkaBroker({name: value for name, value in properties.items() if name not in ADDRESSES}) as broker,
        RedisServer(options=services["redis"]["command"]) as redis,
    ):
        config = {"GMV_CONFIG": str(DOCKER / "gmv.toml")}
        yield os.environ | config | {"GMV_KAFKA_BROKERS": broker.address, "GMV_LEDGER_URL": redis.url}


@pytest.mark.servers
def test_the_commands_before_a_worker_and_the_producer_do_their_work(
    services: dict[str, dict[str, Any]], environment: dict[str, str], tmp_path: Path
) -> None:
    def run(*command: object) -> None:
        done = subprocess.run(
            list(map(str, command)), env=environment, capture_output=True, text=True, timeout=patience(60)
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(GMV, *services["topics"]["command"])
    run(GMV, *services["ledger-init"]["command"])
    event = {"specversion": "1.0", "type": "gmv.image.generated.v1", "source": "/s", "id": "1"}
    whole = json.dumps(event | {"data": {"image": {"bytes": "AAAA"}}})
    events = tmp_path / "events.jsonl"
    events.write_text(f"{whole}\n{whole[:20]}\n")
    run(sys.executable, DOCKER.parent / "tools" / "steady_producer.py", events, "--per-second", "6", "--seconds", "1")

    read = settings.load(environment={name: value for name, value in environment.items() if name.startswith("GMV_")})
    with closing(open_accounts(read.ledger)) as accounts:
        assert {position.next_offset for position in accounts.positions().values()} == {0}
        assert len(accounts.positions()) == 4
    assert sum(bounds.end for bounds in describe_topic(read.kafka).bounds.values()) == 6
