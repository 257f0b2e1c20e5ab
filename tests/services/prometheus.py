"""A real Prometheus that scrapes one target."""

import json
from typing import TypedDict
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.services.patience import patience
from tests.services.server import Server, find_program

SCRAPE_INTERVAL = "200ms"


class Sample(TypedDict):
    """One series of an instant query: its labels, and the Unix time and value as Prometheus writes them."""

    metric: dict[str, str]
    value: tuple[float, str]


class PrometheusServer(Server):
    """One Prometheus, five scrapes a second.

    Args:
        target: `host:port` to scrape.
        metrics_path: where the target's metrics are.
    """

    def __init__(self, target: str, metrics_path: str = "/metrics") -> None:
        super().__init__()
        scrape = {"job_name": "gmv", "metrics_path": metrics_path, "static_configs": [{"targets": [target]}]}
        every = {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": SCRAPE_INTERVAL}
        config = {"global": every, "scrape_configs": [scrape]}
        (self.folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML

    @property
    def url(self) -> str:
        """The root of its web pages."""
        return f"http://{self.address}"

    def command(self) -> list[str]:
        """With all its data in its folder."""
        return [
            find_program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
        ]

    def is_ready(self) -> bool:
        """Tell whether it serves queries."""
        try:
            with urlopen(f"{self.url}/-/ready", timeout=patience(5)) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[Sample]:
        """Return the series that a PromQL expression has now."""
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': expression})}", timeout=patience(10)) as answer:
            result: list[Sample] = json.load(answer)["data"]["result"]
        return result
