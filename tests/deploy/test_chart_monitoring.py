"""What the chart gives to Prometheus and Grafana: rules, dashboards, and what is scraped."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.deploy.rendered_chart import (
    CHART,
    CLAIM,
    kubeconform,
    manifests,
    only,
    template,
)

MONITORED = CLAIM | {"monitoring": {part: {"enabled": True} for part in ("rules", "dashboards", "serviceMonitor")}}
RUNBOOK = "https://runbooks.example/gmv"
RULES = """groups:
  - name: one
    rules:
      - alert: Lag
        expr: gmv_lag_records > 1000
        annotations:
          summary: "{{ $labels.partition }} is {{ $value }} behind"
          runbook_url: docs/runbook.md#lag
"""


@pytest.fixture
def furnished(tmp_path: Path) -> Path:
    """The chart, with rules and dashboards of a test's own."""
    chart = tmp_path / "gmv"
    shutil.copytree(CHART, chart)
    shutil.rmtree(chart / "files", ignore_errors=True)
    (chart / "files" / "dashboards").mkdir(parents=True)
    (chart / "files" / "rules.yaml").write_text(RULES)
    for name in ("worker", "dead_letters"):
        (chart / "files" / "dashboards" / f"{name}.json").write_text(f'{{"title": "{name}: {{{{ legend }}}}"}}\n')
    return chart


def test_dashboards_and_rules_come_as_they_are(furnished: Path) -> None:
    done = kubeconform(template(values=MONITORED, chart=furnished).stdout)
    assert done.returncode == 0, done.stdout
    found = manifests(values=MONITORED, chart=furnished)

    assert only(found, "PrometheusRule")["spec"] == yaml.safe_load(RULES)
    for suffix, name in (("-dashboard-worker", "worker.json"), ("-dashboard-dead-letters", "dead_letters.json")):
        (shown,) = only(found, "ConfigMap", suffix)["data"].items()
        assert shown == (name, (furnished / "files" / "dashboards" / name).read_text())
        assert only(found, "ConfigMap", suffix)["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_charts_own_rules_and_dashboards_are_taken() -> None:
    found = manifests("production")
    rules = only(found, "PrometheusRule")["spec"]
    shown = {name for one in found if "-dashboard-" in one["metadata"]["name"] for name in one["data"]}

    assert rules == yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    assert shown == {file.name for file in (CHART / "files" / "dashboards").iterdir()}


def test_alerts_name_the_runbook_where_it_can_be_read(furnished: Path) -> None:
    values = CLAIM | {"monitoring": {"rules": {"enabled": True, "runbook": RUNBOOK}}}
    (group,) = only(manifests(values=values, chart=furnished), "PrometheusRule")["spec"]["groups"]
    assert group["rules"][0]["annotations"]["runbook_url"] == f"{RUNBOOK}#lag"


def test_prometheus_finds_the_audit_and_workers_that_are_not_ready(furnished: Path) -> None:
    found = manifests(values=MONITORED, chart=furnished)
    monitor = only(found, "ServiceMonitor")["spec"]
    for suffix in ("", "-audit"):
        service = only(found, "Service", suffix)
        ports = [port["name"] for port in service["spec"]["ports"]]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert [endpoint["port"] for endpoint in monitor["endpoints"]] == ports
        assert service["spec"]["publishNotReadyAddresses"] is True
