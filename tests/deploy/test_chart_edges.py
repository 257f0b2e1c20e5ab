"""The chart at the edges of its values: what it renders, Kubernetes takes; what it would not take is refused in words.

Kubernetes' rules of names and labels are not in its schemas but beside them (k8s.io/apimachinery, pkg/util/validation).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deploy.rendered_chart import (
    CHART,
    CLAIM,
    KUBERNETES,
    Manifest,
    helm,
    kubeconform,
    manifests,
    only,
    pod_specs,
    refusal,
    template,
    worker,
)

LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
SERVICE: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1035
SUBDOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
RULES: Final = {"Service": SERVICE, "Job": LABEL, "Pod": LABEL, "StatefulSet": LABEL, "Deployment": LABEL}

# A pod's label `controller-revision-hash` is the name of its StatefulSet, a dash and ten characters.
STATEFUL_SET_NAME_MAX: Final = 63 - 11

ALL_KINDS: Final[Manifest] = CLAIM | {
    "autoscaling": {"by": "lag"},
    "doctor": {"enabled": True},
    "monitoring": {kind: {"enabled": True} for kind in ("serviceMonitor", "rules", "dashboards")},
    "settings": {"kafka": {"security_protocol": "SASL_SSL", "username": "u"}},
    "secrets": {"kafka": {"password_file": {"secret": "s", "key": "k"}}},
}

NOT_A_SENTENCE = ("nil pointer", "error calling", "wrong type", "YAML parse error", "cannot unmarshal", "panic")
SENTENCES = ("values don't meet the specifications of the schema", "autoscaling.", "networkPolicy.", "index.")


def rendered(values: Mapping[str, Any], release: str = "r1") -> list[Manifest] | None:
    """What is valid for Kubernetes in every way; None where the chart says in words why it renders nothing."""
    where = ("--namespace", "n", "--kube-version", KUBERNETES)
    done = helm("template", release, str(CHART), *where, values=values)
    if done.returncode:
        assert any(words in done.stderr for words in SENTENCES), done.stderr
        assert not any(words in done.stderr for words in NOT_A_SENTENCE), done.stderr
        return None
    checked = kubeconform(done.stdout)
    assert checked.returncode == 0, checked.stdout
    found = [document for document in yaml.safe_load_all(done.stdout) if document]
    assert found
    for manifest in found:
        assert_named(manifest)
    assert_at_one(found)
    return found


def assert_named(manifest: Manifest) -> None:
    name = manifest["metadata"]["name"]
    assert RULES.get(manifest["kind"], SUBDOMAIN).fullmatch(name), (manifest["kind"], name)
    if manifest["kind"] == "StatefulSet":
        assert len(name) <= STATEFUL_SET_NAME_MAX
    for labels in all_labels(manifest):
        for label, value in labels.items():
            assert isinstance(value, str), (label, value)
            assert LABEL_VALUE.fullmatch(value), (label, value)


def all_labels(part: Any) -> Iterator[dict[str, Any]]:
    """Labels of objects and of pods, and those that select."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name in {"labels", "matchLabels"} and isinstance(value, dict):
                yield value
            yield from all_labels(value)
    elif isinstance(part, list):
        for value in part:
            yield from all_labels(value)


def assert_at_one(found: list[Manifest]) -> None:
    """What one object says of another is so, and no two share a name."""
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(names)) == len(names)
    (workers,) = (one for one in found if one["kind"] == "StatefulSet")
    assert ("Service", workers["spec"]["serviceName"]) in names
    assert ("ServiceAccount", workers["spec"]["template"]["spec"]["serviceAccountName"]) in names
    chosen = workers["spec"]["selector"]["matchLabels"].items()
    assert chosen <= workers["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    "release",
    [
        "r" * 53,
        "r" * 40 + "-" * 12 + "r",
        "a.b.c",
        "gmv.prod.eu-1",
        "7",
        "1e3",
        "0x1f",
        "1.5",
        "2026.11.my-gmv",
        "true",
        "null",
        "x" + "." + "y" * 51,
        "9" * 53,
    ],
)
def test_every_name_that_helm_takes_for_a_release_can_be_installed(release: str) -> None:
    assert rendered(ALL_KINDS, release) is not None
    assert rendered(CLAIM | {"autoscaling": {"by": "cpu"}}, release) is not None


def test_a_name_that_kubernetes_takes_stays_as_it_is() -> None:
    """Another one would be another StatefulSet, beside the one that is there."""
    for release, name in (("r1", "r1-gmv"), ("my-gmv", "my-gmv"), ("a" * 47, "a" * 47 + "-gmv")):
        found = rendered(CLAIM, release)
        assert found is not None
        assert {one["metadata"]["name"] for one in found if one["kind"] == "StatefulSet"} == {name}


@settings(max_examples=25)
@given(
    release=st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,25}[a-z0-9])?)?", fullmatch=True),
    name=st.sampled_from(["", "x", "0", "true", "n" * 63]) | st.from_regex(r"[a-z0-9][-a-z0-9]{0,70}", fullmatch=True),
    full=st.sampled_from(["", "on", "null", "y", "f" * 51]) | st.text("ab-.0_A", max_size=60),
    labels=st.dictionaries(
        st.sampled_from(["team", "example.com/a", "app.kubernetes.io/name"]), st.text("a1.-", max_size=70)
    ),
    counts=st.tuples(st.integers(0, 10**7), st.integers(1, 10**7)),
)
def test_names_labels_and_counts_are_right_or_refused(
    release: str, name: str, full: str, labels: dict[str, str], counts: tuple[int, int]
) -> None:
    least, most = counts
    overrides = {"nameOverride": name, "fullnameOverride": full, "podLabels": labels}
    scaled = {"by": "lag", "replicasMin": least, "replicasMax": most, "lag": {"recordsPerWorker": most}}
    rendered(ALL_KINDS | overrides | {"autoscaling": scaled}, release)


def leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where each value is, and each group of them."""
    for name, value in values.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))


def at(path: tuple[str, ...], value: object) -> Manifest:
    inner: Any = value
    for name in reversed(path):
        inner = {name: inner}
    return dict(inner)


def merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {name: merged(one.get(name, value), value) for name, value in other.items()}
    return other


EVERY_VALUE: Final = list(leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
MAY_BE_NULL: Final = {
    *(("podSecurityContext", name) for name in ("runAsUser", "runAsGroup", "fsGroup")),
    ("networkPolicy", "egress", "dns"),  # asked for once the policy is enabled
    ("networkPolicy", "egress", "dns", "protocols"),
    ("monitoring", "dashboards", "labels", "grafana_dashboard"),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", EVERY_VALUE, ids=".".join)
def test_a_value_that_is_null_is_refused_or_does_no_harm(path: tuple[str, ...]) -> None:
    """Helm takes it away with its default: the chart reckoned a grace period of 45 s where 105 were due."""
    found = rendered(merged(ALL_KINDS, at(path, None)))
    assert (found is not None) == (path in MAY_BE_NULL)


@pytest.mark.slow
@pytest.mark.parametrize("path", EVERY_VALUE, ids=".".join)
@pytest.mark.parametrize("value", ["", "7", 10**7], ids=repr)
def test_a_value_of_an_odd_kind_is_refused_or_rendered_as_it_has_to_be(path: tuple[str, ...], value: object) -> None:
    rendered(merged(ALL_KINDS, at(path, value)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"fullnameOverride": "a.b"}, "fullnameOverride"),
        ({"fullnameOverride": "1a"}, "fullnameOverride"),
        ({"fullnameOverride": "a" * 52}, "fullnameOverride"),
        ({"nameOverride": "GMV"}, "nameOverride"),
        ({"nameOverride": "a-"}, "nameOverride"),
        ({"podLabels": {"app.kubernetes.io/component": "mine"}}, "podLabels"),
        ({"podAnnotations": {"checksum/settings": "0"}}, "checksum/settings"),
        ({"monitoring": {"rules": {"labels": {"release": "a b"}}}}, "labels"),
        ({"priorityClassName": "High"}, "priorityClassName"),
        ({"index": {"claim": {"name": "An index"}}}, "name"),
        ({"settings": {"kafka": {"retry_seconds": None}}}, "retry_seconds"),
        ({"settings": {"kafka": {"retry_seconds": "30"}}}, "retry_seconds"),
        ({"settings": {"ledger": None}}, "ledger"),
        ({"autoscaling": {"by": "lag", "replicasMin": 9, "replicasMax": 8}}, "replicasMin: 9 is above"),
        ({"autoscaling": {"by": "cpu", "replicasMin": 3, "replicasMax": 2}}, "replicasMin: 3 is above"),
        ({"podSecurityContext": {"runAsUser": 0}}, "runAsUser"),
        ({"podSecurityContext": {"runAsUser": "10001"}}, "runAsUser"),
        ({"podSecurityContext": {"runAsNonRoot": False}}, "runAsNonRoot"),
    ],
)
def test_what_kubernetes_or_gmv_would_refuse_later_is_refused_here(values: Manifest, said: str) -> None:
    assert said in refusal(CLAIM | values)


def test_a_limit_that_nothing_uses_is_no_obstacle() -> None:
    assert rendered(CLAIM | {"autoscaling": {"by": "none", "replicasMin": 9, "replicasMax": 8}})


def test_users_are_left_to_a_platform_that_gives_its_own() -> None:
    """OpenShift's restricted-v2 refuses any user and group but those of the project's range, and takes none said."""
    ours = {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}
    common = {
        "runAsNonRoot": True,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for given_values, kept in (
        ({}, ours),
        ({"podSecurityContext": dict.fromkeys(ours)}, {}),
        ({"podSecurityContext": {"fsGroup": None}}, {"runAsUser": 10001, "runAsGroup": 10001}),
        ({"podSecurityContext": {"runAsUser": 1000660000, "runAsGroup": 0, "fsGroup": 1000660000}},
         {"runAsUser": 1000660000, "runAsGroup": 0, "fsGroup": 1000660000}),
    ):  # fmt: skip
        found = rendered(ALL_KINDS | given_values)
        assert found is not None
        pods = list(pod_specs(found))
        assert len(pods) == 4
        assert all(pod["securityContext"] == common | kept for pod in pods)


def test_large_numbers_are_written_out() -> None:
    many = {"probes": {"failures": 10**6}, "audit": {"checkSeconds": 10**7}, "ledgerInit": {"deadlineSeconds": 10**8}}
    found = manifests(values=CLAIM | many)
    _, container = worker(found)
    assert container["livenessProbe"]["failureThreshold"] == 10**6
    assert only(found, "Job", "-ledger-init")["spec"]["activeDeadlineSeconds"] == 10**8
    (audit,) = only(found, "Deployment", "-audit")["spec"]["template"]["spec"]["containers"]
    assert "10000000" in audit["args"]
    assert not re.search(r"\de\+\d", template(values=CLAIM | many).stdout.split("rules:")[0])


def test_what_is_checked_here_would_be_found() -> None:
    for kind, name in (("Service", "a.b"), ("Service", "1a"), ("Job", "j" * 64), ("StatefulSet", "s" * 53)):
        with pytest.raises(AssertionError):
            assert_named({"kind": kind, "metadata": {"name": name}})
    with pytest.raises(AssertionError):
        assert_named({"kind": "ConfigMap", "metadata": {"name": "c", "labels": {"a": 1}}})
