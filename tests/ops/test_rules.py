"""Alerts: each fires when it should and only then, asks for metrics there are, and has its section in the runbook."""

import re
import shlex
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from gmv.cli import load
from tests.dashboards.promql_names import metrics_in
from tests.services.server import find_program

ROOT = Path(__file__).parents[2]
RULES = ROOT / "helm" / "gmv" / "files" / "rules.yaml"
SITUATIONS = Path(__file__).with_name("rules_test.yaml")
RUNBOOK = ROOT / "docs" / "runbook.md"

_PARSED: dict[str, Any] = yaml.safe_load(RULES.read_text())
_ALL = [rule for group in _PARSED["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in _ALL if "record" in rule}
ALERTS = {rule["alert"]: rule for rule in _ALL if "alert" in rule}


def promtool(*arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_program("promtool"), *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )


def section(alert: str) -> str:
    """What the runbook says of an alert."""
    found = re.search(rf"^## {alert}\n(.*?)(?=^## |\Z)", RUNBOOK.read_text(), re.DOTALL | re.MULTILINE)
    assert found, alert
    return found[1]


@pytest.mark.servers
def test_promtool_takes_the_rules() -> None:
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
def test_alerts_fire_when_they_should_and_stay_quiet_when_they_should() -> None:
    done = promtool("test", "rules", SITUATIONS.name, folder=SITUATIONS.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried_in_a_situation_where_it_fires_and_in_one_where_it_does_not() -> None:
    tried: dict[str, set[bool]] = defaultdict(set)
    for situation in yaml.safe_load(SITUATIONS.read_text())["tests"]:
        for case in situation["alert_rule_test"]:
            tried[case["alertname"]].add(bool(case["exp_alerts"]))
    assert tried == {name: {True, False} for name in ALERTS}


def test_rules_ask_for_metrics_that_gmv_has(known_metrics: frozenset[str]) -> None:
    asked = {name for rule in _ALL for name in metrics_in(rule["expr"])}
    assert asked
    assert asked - known_metrics - RECORDED == set()


def test_no_rule_knows_how_a_site_calls_its_jobs() -> None:
    assert not [rule for rule in _ALL if re.search(r'\bjob\s*[=!]~?\s*"', rule["expr"])]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_what_happened_and_where_it_is_explained(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{alert.lower()}"
    parts = re.findall(r"^\*\*(\w+)\.\*\*", section(alert), re.MULTILINE)
    assert parts == ["Means", "Look", "Type"]


def test_the_runbook_explains_no_alert_that_is_not_there() -> None:
    assert set(re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)) == set(ALERTS)


def test_links_of_the_runbook_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", RUNBOOK.read_text())
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    anchors = {f"#{heading.lower().replace(' ', '-')}" for heading in headings}
    assert links
    assert [link for link in links if link not in anchors and not (RUNBOOK.parent / link).is_file()] == []


def test_panels_that_the_runbook_names_are_there() -> None:
    from gmv.dashboards.all import DASHBOARDS

    titles = {panel.title for page in DASHBOARDS for panel in page.panels()}
    titles |= {page.title.rpartition("/ ")[2] for page in DASHBOARDS}
    named = {" ".join(name.split()) for name in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", RUNBOOK.read_text())}
    assert named
    assert named - titles == set()


def _commands() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```$", RUNBOOK.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`(gmv [a-z][^`]*)`", RUNBOOK.read_text())
    return sorted({line[line.index("gmv ") :] for line in lines if re.search(r"(^|-- )gmv ", line)} | {*inline})


@pytest.mark.parametrize("line", _commands())
def test_commands_of_the_runbook_are_commands_of_gmv(line: str) -> None:
    """As they stand, but for `gmv --help`, which lists them."""
    name, *rest = shlex.split(line[line.index("gmv ") :])[1:]
    if name.startswith("--"):
        return
    command = load(name)
    if rest and hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    if "--help" not in rest:
        command.make_context(name, rest)
