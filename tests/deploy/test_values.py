"""The chart's values: what their schema refuses, and that it, gmv's settings and the README say the same."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gmv.errors import InvalidSettings
from gmv.ledger.open import open_accounts
from gmv.settings import LedgerSettings, Settings
from tests.deploy.rendered_chart import CHART, CLAIM, refusal
from tests.services.go_tools import find_tool
from tools.chart_settings_schema import SCHEMA, rendered


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"autoscaling": {"by": "both"}}, "by"),
        ({"autoscaling": {"keda": {"enabled": True}, "hpa": {"enabled": True}}}, "keda"),
        ({"autoscaling": {"by": "cpu", "replicasMin": 0}}, "replicasMin"),
        ({"replicaCount": 3}, "replicaCount"),
        ({"replicas": -1}, "replicas"),
        ({"replicas": "three"}, "replicas"),
        ({"env": {"GMV_LEDGER_URL": "redis://elsewhere"}}, "GMV_LEDGER_URL"),
        ({"image": {"digest": "sha256:abc"}}, "digest"),
        ({"index": {"fetch": {"url": "https://i.example/1"}}}, "digest"),
        ({"index": {"claim": {"name": "i", "path": "../etc"}}}, "path"),
        ({"resources": {"requests": {"cpu": 4}}}, "requests"),
        ({"resources": {"memory": "2 GB"}}, "memory"),
        ({"settings": {"kafka": {"instance_id": "mine"}}}, "instance_id"),
        ({"settings": {"kafka": {"password_file": "/tmp/p"}}}, "password_file"),
        ({"settings": {"kafka": {"broker": "kafka:9092"}}}, "broker"),
        ({"settings": {"kafka": {"security_protocol": "SASL_PLAINTEXT"}}}, "security_protocol"),
        ({"settings": {"kafka": {"session_seconds": 1}}}, "session_seconds"),
        ({"settings": {"index": "/mine"}}, "index"),
        ({"settings": {"ledger": {"url": "sqlite:////tmp/ledger.db"}}}, "url"),
        ({"settings": {"ledger": {"url": "redis://user:password@redis:6379"}}}, "url"),
        ({"settings": {"ledger": {"url": "redis+sentinel://sentinel:26379/mymaster"}}}, "url"),
        ({"settings": {"worker": {"threads": 0}}}, "threads"),
        ({"settings": {"worker": {"web_bind": "127.0.0.1"}}}, "web_bind"),
        ({"settings": {"valuation": {"temperature": 0}}}, "temperature"),
        ({"secrets": {"kafka": {"password": {"secret": "s", "key": "k"}}}}, "password"),
        ({"secrets": {"ledger": {"password_file": {"secret": "s"}}}}, "key"),
        ({"ledgerInit": {"user": {"username": "init"}}}, "user"),
        ({"networkPolicy": {"egress": {"all": {"to": [], "ports": [1]}}}}, "to"),
        ({"networkPolicy": {"egress": {"all": {"to": [{}], "ports": [1]}}}}, "to"),
        ({"graceMarginSeconds": 0}, "graceMarginSeconds"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
    ],
)
def test_values_that_would_do_nothing_or_harm_are_refused_by_name(values: dict[str, Any], said: str) -> None:
    complaint = refusal({**CLAIM, **values})
    assert "values don't meet the specifications of the schema" in complaint
    assert said in complaint.partition("gmv:")[2]


def test_the_schema_takes_the_settings_that_gmv_takes() -> None:
    current = SCHEMA.read_text()
    assert rendered(current) == current, "run `make chart`"


@pytest.mark.parametrize("rest", ["", "s", "+cluster", "s+cluster", "+sentinel", "s+sentinel", "-cluster", "+socket"])
@pytest.mark.parametrize("name", ["redis", "valkey", "Redis", "sentinel"])
def test_the_schema_takes_the_addresses_of_a_ledger_that_gmv_takes(name: str, rest: str) -> None:
    url = f"{name}{rest}://one.example:6379"
    pattern = json.loads(SCHEMA.read_text())["definitions"]["LedgerSettings"]["properties"]["url"]["pattern"]
    try:
        open_accounts(LedgerSettings(url=url)).close()
    except InvalidSettings:
        assert not re.search(pattern, url)
    else:
        assert re.search(pattern, url)


def test_nothing_but_what_stands_in_the_values_may_be_given() -> None:
    """Every value has its default and its line in the README; and the schema knows each."""
    schema = json.loads(SCHEMA.read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() - {"global"} == values.keys()
    for name, value in values.items():
        known = schema["properties"][name]
        if isinstance(value, dict) and "properties" in known:
            assert known["properties"].keys() == value.keys(), name


def test_settings_that_stand_in_the_values_are_gmvs_own_defaults() -> None:
    """What the chart reckons with has to be there; it is not to be another default."""
    own = Settings().model_dump(mode="json")
    meant = {("kafka", "brokers"), ("ledger", "url"), ("worker", "threads")}
    values = yaml.safe_load((CHART / "values.yaml").read_text())["settings"]
    for group, settings in values.items():
        for name, value in settings.items():
            assert value == own[group][name] or (group, name) in meant, (group, name)


def test_the_readme_lists_the_values_as_they_are(tmp_path: Path) -> None:
    command = [find_tool("helm-docs"), "--chart-search-root", str(CHART), "--output-file", "README.md", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (CHART / "README.md").read_text().strip(), "run `make chart`"
