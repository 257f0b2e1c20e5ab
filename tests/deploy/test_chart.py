"""The chart: valid for Kubernetes, within the restricted profile, and at one with the program that it runs."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from gmv.cli import load
from gmv.ledger.redis.acl import ROLES
from tests.deploy.rendered_chart import (
    CHART,
    CLAIM,
    KUBERNETES,
    PRESETS,
    Manifest,
    environment,
    helm,
    kubeconform,
    loaded,
    manifests,
    only,
    pod_specs,
    refusal,
    template,
    worker,
)

FETCH: Final[Manifest] = {"index": {"fetch": {"url": "https://indexes.example/one", "digest": "0" * 32}}}
KAFKA_FILES = {"kafka": {"password_file": {"secret": "user", "key": "password"}}}


@pytest.mark.parametrize("preset", PRESETS)
def test_helm_finds_nothing_to_complain_of(preset: str) -> None:
    done = helm("lint", str(CHART), "--strict", "--kube-version", KUBERNETES, "-f", f"{CHART}/values-{preset}.yaml")
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("preset", PRESETS)
def test_every_object_is_one_that_kubernetes_knows(preset: str) -> None:
    done = kubeconform(template(preset).stdout)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("by", ["lag", "cpu"])
def test_so_are_those_that_no_preset_has(by: str) -> None:
    values = FETCH | {"autoscaling": {"by": by}, "env": {"AWS_REGION": "eu"}, "secrets": KAFKA_FILES}
    values |= {"doctor": {"enabled": True}}
    values["index"]["fetch"]["keep"] = True
    done = kubeconform(template(values=values).stdout)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("StatefulSet", "terminationGracePeriodSeconds", "terminationGraceSeconds"),
        ("ScaledObject", "maxReplicaCount", "maxReplicas"),
        ("ServiceMonitor", "interval: 15s", "interval: 15"),
    ],
)
def test_a_field_that_kubernetes_does_not_know_would_be_found(kind: str, old: str, new: str) -> None:
    text = template("production").stdout
    assert old in text
    done = kubeconform(text.replace(old, new))
    assert done.returncode == 1
    assert kind in done.stdout


@pytest.mark.parametrize("preset", PRESETS)
def test_pods_keep_to_the_restricted_profile(preset: str) -> None:
    """As of Pod Security's `restricted`, version 1.33; and a root file system that nobody writes to."""
    pods = list(pod_specs(manifests(preset)))
    assert len(pods) == 4
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
        allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected"}
        assert all(volume.keys() - {"name"} <= allowed for volume in pod["volumes"])
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not any("hostPort" in port for port in container.get("ports", []))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_command_that_a_pod_runs_is_one_of_gmv(preset: str) -> None:
    for pod in pod_specs(manifests(preset)):
        for container in pod["containers"] + pod.get("initContainers", []):
            if "command" in container:  # not gmv
                continue
            name, *rest = container["args"]
            command = load(name)
            if rest and hasattr(command, "commands"):
                command, rest = command.commands[rest[0]], rest[1:]
            command.make_context(name, rest)  # would refuse an option that it does not know


@pytest.mark.parametrize("preset", PRESETS)
def test_gmv_takes_the_settings(preset: str, tmp_path: Path) -> None:
    found = manifests(preset)
    settings = loaded(only(found, "ConfigMap"), tmp_path)
    values = yaml.safe_load((CHART / f"values-{preset}.yaml").read_text())

    assert settings.worker.web_bind == "0.0.0.0"
    assert settings.kafka.brokers == values["settings"]["kafka"]["brokers"]
    assert settings.ledger.url == values["settings"]["ledger"]["url"]
    assert loaded(only(found, "ConfigMap", "-ledger-init"), tmp_path) == settings
    _, container = worker(found)
    assert str(settings.index).startswith("/var/lib/gmv")
    assert "/var/lib/gmv" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_every_setting_of_gmv_can_be_set(tmp_path: Path) -> None:
    wanted: Manifest = {
        "images": {"root": "/images", "schemes": ["https"], "hosts": ["images.example"], "bytes_max": 1_000_000},
        "valuation": {"candidates": 200, "contributors": 20, "temperature": 0.25},
        "worker": {"dead_letters_ratio_max": 0.125, "log_level": "debug"},
    }
    settings = loaded(only(manifests(values=CLAIM | {"settings": wanted}), "ConfigMap"), tmp_path)
    for group, values in wanted.items():
        found = getattr(settings, group).model_dump(mode="json")
        assert {name: found[name] for name in values} == values


@pytest.mark.parametrize("preset", PRESETS)
def test_files_that_settings_name_are_mounted_and_readable_by_the_pods_group(preset: str, tmp_path: Path) -> None:
    found = manifests(preset)
    settings = loaded(only(found, "ConfigMap"), tmp_path)
    pod, container = worker(found)
    mounted = secret_files(pod, container)
    named = {
        str(path)
        for group in (settings.kafka, settings.ledger)
        for path in (group.password_file, group.ca_file, group.cert_file, group.key_file)
        if path
    }

    assert named <= mounted
    assert len(named) == (4 if preset == "production" else 0)
    (secrets,) = (volume for volume in pod["volumes"] if volume["name"] == "secrets")
    assert secrets["projected"]["defaultMode"] == 0o440


def secret_files(pod: Manifest, container: Manifest) -> set[str]:
    (root,) = (mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets")
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "secrets")
    sources = (source["secret"] for source in volume["projected"]["sources"] if "secret" in source)
    return {f"{root}/{item['path']}" for source in sources for item in source["items"]}


@pytest.mark.parametrize(
    ("kind", "suffix", "role"),
    [("Job", "-ledger-init", "administrator"), ("Pod", "-test", "reader"), ("Deployment", "-audit", "reader")],
)
def test_who_makes_a_ledger_and_who_reads_all_of_it_can_be_other_users(kind: str, suffix: str, role: str) -> None:
    manifest = only(manifests("production"), kind, suffix)
    (pod,) = pod_specs([manifest])
    container = pod["containers"][-1]
    variables = environment(container)

    assert variables["GMV_LEDGER_USERNAME"] == role
    assert role in ROLES
    assert variables["GMV_LEDGER_PASSWORD_FILE"] in secret_files(pod, container)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_pod_is_given_longer_to_stop_than_a_worker_can_need(preset: str, tmp_path: Path) -> None:
    """A run is at most half a rebalance time-out long, and can meet brokers and a ledger that are away."""
    found = manifests(preset)
    settings = loaded(only(found, "ConfigMap"), tmp_path)
    pod, _ = worker(found)
    drain = settings.kafka.rebalance_seconds / 2 + settings.kafka.retry_seconds + settings.ledger.retry_seconds

    assert pod["terminationGracePeriodSeconds"] >= drain + 10


def test_the_grace_period_follows_the_settings() -> None:
    slow = {"kafka": {"rebalance_seconds": 600}, "ledger": {"retry_seconds": 0.5}}
    pod, _ = worker(manifests(values=CLAIM | {"settings": slow}))
    assert pod["terminationGracePeriodSeconds"] == 300 + 30 + 1 + 15


@pytest.mark.parametrize("preset", PRESETS)
def test_as_many_cpus_are_requested_as_threads_compute(preset: str, tmp_path: Path) -> None:
    found = manifests(preset)
    _, container = worker(found)
    assert int(container["resources"]["requests"]["cpu"]) == loaded(only(found, "ConfigMap"), tmp_path).worker.threads
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def test_probes_ask_the_pages_that_a_worker_serves() -> None:
    _, container = worker(manifests(values=CLAIM | {"settings": {"worker": {"web_port": 7070}}}))
    assert container["ports"] == [{"name": "web", "containerPort": 7070}]
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    start = container["startupProbe"]
    assert start["failureThreshold"] * start["periodSeconds"] == 600


def test_each_pod_is_a_static_member_of_its_own() -> None:
    found = manifests(values=CLAIM)
    _, container = worker(found)
    variables = {variable["name"]: variable for variable in container["env"]}
    names = list(variables)

    assert variables["GMV_KAFKA_INSTANCE_ID"]["value"] == "$(POD_NAMESPACE).$(POD_NAME)"
    assert max(names.index("POD_NAMESPACE"), names.index("POD_NAME")) < names.index("GMV_KAFKA_INSTANCE_ID")
    assert variables["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert only(found, "StatefulSet")["spec"]["serviceName"] == only(found, "Service")["metadata"]["name"]


def test_a_ledger_is_made_before_the_first_worker_and_not_again() -> None:
    for manifest in (only(manifests(values=CLAIM), kind, "-ledger-init") for kind in ("Job", "ConfigMap")):
        assert manifest["metadata"]["annotations"]["helm.sh/hook"] == "pre-install"
    again = manifests(values=CLAIM | {"ledgerInit": {"onUpgrade": True}})
    assert only(again, "Job", "-ledger-init")["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert not [one for one in manifests(values=CLAIM | {"ledgerInit": {"enabled": False}}) if one["kind"] == "Job"]


def test_an_index_is_fetched_to_where_workers_look_for_it(tmp_path: Path) -> None:
    found = manifests(values=FETCH)
    pod, container = worker(found)
    (fetch,) = pod["initContainers"]

    assert fetch["args"][2:5] == ["https://indexes.example/one", "--digest", "0" * 32]
    assert fetch["args"][-1] == str(loaded(only(found, "ConfigMap"), tmp_path).index)
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["index"]["readOnly"] is True
    assert "readOnly" not in {mount["name"]: mount for mount in fetch["volumeMounts"]}["index"]


def test_an_index_may_lie_deeper_in_a_claim(tmp_path: Path) -> None:
    found = manifests(values={"index": {"claim": {"name": "indexes", "path": "2026/06"}}})
    assert loaded(only(found, "ConfigMap"), tmp_path).index == Path("/var/lib/gmv/2026/06")


@pytest.mark.parametrize("values", [{}, {"index": CLAIM["index"] | FETCH["index"]}])
def test_an_index_comes_from_one_place(values: Manifest) -> None:
    assert "give exactly one of index.claim.name and index.fetch.url" in refusal(values)


@pytest.mark.parametrize(
    ("by", "kinds"), [("none", set()), ("lag", {"ScaledObject"}), ("cpu", {"HorizontalPodAutoscaler"})]
)
def test_workers_are_scaled_by_one_thing(by: str, kinds: set[str]) -> None:
    found = manifests(values=CLAIM | {"autoscaling": {"by": by}})
    scalers = [one for one in found if one["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}]

    assert {one["kind"] for one in scalers} == kinds
    assert ("replicas" in only(found, "StatefulSet")["spec"]) == (by == "none")
    assert all(one["spec"]["scaleTargetRef"]["kind"] == "StatefulSet" for one in scalers)


def test_keda_reads_the_workers_group_as_the_workers_user(tmp_path: Path) -> None:
    found = manifests("production")
    kafka = loaded(only(found, "ConfigMap"), tmp_path).kafka
    (trigger,) = only(found, "ScaledObject")["spec"]["triggers"]
    metadata = trigger["metadata"]

    assert (metadata["consumerGroup"], metadata["topic"]) == (kafka.group, kafka.topic)
    assert (metadata["bootstrapServers"], metadata["sasl"]) == (kafka.brokers, "scram_sha512")
    authentication = only(found, "TriggerAuthentication")["spec"]
    assert [one["parameter"] for one in authentication["secretTargetRef"]] == ["ca", "password"]
    assert only(found, "ConfigMap", "-keda")["data"]["username"] == kafka.username


def test_traffic_is_named() -> None:
    policy = only(manifests("production"), "NetworkPolicy")["spec"]
    text = template("production").stdout

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["to"] and rule["ports"] for rule in policy["egress"])
    for name in ("dns", "kafka", "ledger", "images"):
        assert f"# {name}\n" in text
    values = CLAIM | {"networkPolicy": {"enabled": True}}
    assert "networkPolicy.egress.kafka: workers cannot do without" in refusal(values)


def test_labels_that_select_never_change_with_a_version() -> None:
    found = manifests("production")
    chosen = only(found, "StatefulSet")["spec"]["selector"]["matchLabels"]
    assert chosen == {
        "app.kubernetes.io/name": "gmv",
        "app.kubernetes.io/instance": "r1",
        "app.kubernetes.io/component": "worker",
    }
    assert only(found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == chosen
    assert only(found, "Service")["spec"]["selector"] == chosen
