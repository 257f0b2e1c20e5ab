"""A world in small: worker and audit of docker/compose.yaml, and a Prometheus with its configuration and rules."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.end_to_end.command import command
from tests.services.patience import patience
from tests.services.prometheus import PrometheusServer
from tests.services.server import free_port, mortal

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
RULES = ROOT / "helm" / "gmv" / "files" / "rules.yaml"
SECONDS_PER_MINUTE = 1
"""Durations of the rules are so much shorter here: a minute is a second, an hour a minute."""


def hurried(rules: str) -> str:
    """Return the rules with all durations 1/60: in brackets, in `for:`, and where hours are written out in seconds."""
    minutes = {"s": 1 / 60, "m": 1, "h": 60, "d": 1_440}

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found[2]) * minutes[found[3]] * SECONDS_PER_MINUTE
        return f"{found[1]}{max(1, round(seconds))}s{found[4]}"

    rules = re.sub(r"(\[)(\d+)([smhd])(\])", shorter, rules)
    rules = re.sub(r"(for: )(\d+)([smhd])($)", shorter, rules, flags=re.MULTILINE)
    return re.sub(r"(\d+) \* 3600", lambda found: f"{found[1]} * {60 * SECONDS_PER_MINUTE}", rules)


class SitePrometheus(PrometheusServer):
    """As compose's, with other addresses, five scrapes a second, and rules in a hurry."""

    def __init__(self, targets: Mapping[str, Sequence[int]]) -> None:
        super().__init__("")
        config = yaml.safe_load((ROOT / "docker" / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
        config["rule_files"] = [str(self.folder / "rules.yaml")]
        config["scrape_configs"] = [
            {
                "job_name": scrape["job_name"],
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in targets[scrape["job_name"]]]}],
            }
            for scrape in config["scrape_configs"]
        ]
        (self.folder / "prometheus.yml").write_text(json.dumps(config))
        (self.folder / "rules.yaml").write_text(hurried(RULES.read_text()))

    def alerts(self) -> set[str]:
        """Names of the alerts that fire."""
        return {sample["metric"]["alertname"] for sample in self.query('ALERTS{alertstate="firing"}')}


def compose_command(service: str) -> list[str]:
    """What compose runs in a container."""
    words: list[str] = COMPOSE["services"][service]["command"]
    return words


@contextmanager
def running(words: Sequence[str], settings: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of gmv for as long as it is wanted."""
    with log.open("ab") as file:
        process = subprocess.Popen(mortal(command(*words)), stdout=file, stderr=file, env=os.environ | dict(settings))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class World:
    """One worker, one audit and their Prometheus. The worker can be killed and started again."""

    def __init__(self, settings: Mapping[str, str], folder: Path, stack: ExitStack) -> None:
        self.worker_port, self.audit_port = free_port(), free_port()
        self._settings = {"GMV_CONFIG": str(ROOT / "docker" / "gmv.toml"), **settings}
        self._folder = folder
        self._stack = stack
        self._worker: subprocess.Popen[bytes] | None = None
        audit = [*compose_command("audit"), "--every", "0.5", "--check-every", "1", "--web-port", str(self.audit_port)]
        stack.enter_context(running(audit, self._settings, folder / "audit.log"))
        self.start_worker()
        self.prometheus = stack.enter_context(
            SitePrometheus({"gmv": [self.worker_port], "gmv-audit": [self.audit_port]})
        )

    def start_worker(self) -> None:
        """Start it, as compose does."""
        words = [*compose_command("worker"), "--web-port", str(self.worker_port)]
        self._worker = self._stack.enter_context(running(words, self._settings, self._folder / "worker.log"))

    def kill_worker(self) -> None:
        """End it as `kill -9` does."""
        assert self._worker
        self._worker.send_signal(signal.SIGKILL)
        self._worker.wait()

    def probe(self, name: str) -> int:
        """HTTP status of /livez or /readyz; 0 where nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.worker_port}/{name}", timeout=patience(5)) as answer:
                return int(answer.status)
        except HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    def labels(self, name: str) -> list[str]:
        """Values of a label, as Grafana asks for a variable's."""
        with urlopen(f"{self.prometheus.url}/api/v1/label/{name}/values", timeout=patience(10)) as answer:
            found: list[str] = json.load(answer)["data"]
        return found

    def range(self, expression: str, seconds: float) -> list[Any]:
        """What a diagram of the last so many seconds would show."""
        (now,) = (float(sample["value"][0]) for sample in self.prometheus.query("vector(0)"))
        asked = {"query": expression, "start": now - seconds, "end": now, "step": 1}
        with urlopen(f"{self.prometheus.url}/api/v1/query_range?{urlencode(asked)}", timeout=patience(10)) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
        return found
