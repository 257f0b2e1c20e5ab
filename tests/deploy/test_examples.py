"""helm/examples: what they say of topics and rights is what gmv says, and the rest is as in the compose file."""

from typing import Any

import pytest
import yaml

from gmv.kafka.rights import rights
from gmv.kafka.topics import planned
from gmv.settings import Settings
from tests.deploy.rendered_chart import CHART, ROOT, kubeconform

EXAMPLES = ROOT / "helm" / "examples"
PARTITIONS = 24
RETENTION_DAYS = 7.0


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


def test_topics_are_those_that_gmv_would_create() -> None:
    shown = {
        topic["metadata"]["name"]: (
            topic["spec"]["partitions"],
            {name: value for name, value in topic["spec"]["config"].items() if name != "min.insync.replicas"},
        )
        for topic in documents("strimzi/topics.yaml")
    }
    topics = planned(Settings(), PARTITIONS, RETENTION_DAYS)
    assert shown == {topic.name: (topic.partitions, dict(topic.configs)) for topic in topics}


@pytest.mark.parametrize("role", ["worker", "producer"])
def test_users_have_the_rights_that_gmv_needs_and_no_more(role: str) -> None:
    (user,) = (user for user in documents("strimzi/users.yaml") if user["metadata"]["name"] == f"gmv-{role}")
    shown = {
        (operation, acl["resource"]["type"].title(), acl["resource"]["name"])
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    assert all(acl["resource"]["patternType"] == "literal" for acl in user["spec"]["authorization"]["acls"])
    assert shown == set(map(tuple, rights(role, Settings().kafka)))


def test_the_production_values_are_those_of_these_users_and_topics() -> None:
    values = yaml.safe_load((CHART / "values-production.yaml").read_text())
    (user,) = (user for user in documents("strimzi/users.yaml") if user["metadata"]["name"] == "gmv-worker")
    cluster = user["metadata"]["labels"]["strimzi.io/cluster"]

    assert values["settings"]["kafka"]["username"] == user["metadata"]["name"]
    assert values["secrets"]["kafka"]["password_file"] == {"secret": user["metadata"]["name"], "key": "password"}
    assert values["secrets"]["kafka"]["ca_file"] == {"secret": f"{cluster}-cluster-ca-cert", "key": "ca.crt"}
    assert values["autoscaling"]["replicasMax"] == PARTITIONS


def test_servers_for_one_machine_are_those_of_the_compose_file() -> None:
    text = (EXAMPLES / "local" / "servers.yaml").read_text()
    done = kubeconform(text)
    assert done.returncode == 0, done.stdout
    pods = {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]["containers"][0]
        for manifest in yaml.safe_load_all(text)
        if "template" in manifest["spec"]
    }
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]

    assert pods["redis"]["args"] == services["redis"]["command"]
    assert pods["gmv-topics"]["args"][:-2] == services["topics"]["command"]
    told = {variable["name"]: variable["value"] for variable in pods["kafka"]["env"]}
    wanted = {name: str(value) for name, value in services["kafka"]["environment"].items()}
    assert {name for name in wanted if told.get(name) != wanted[name]} == {
        "KAFKA_LOG_DIRS",  # a claim may hold a folder of its file system's own
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS",
    }
    for name in ("kafka", "redis"):
        assert pods[name]["image"] == services[name]["image"]
