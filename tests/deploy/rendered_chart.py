"""The chart as Helm renders it."""

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gmv import settings
from tests.services.go_tools import find_tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "gmv"
SCHEMAS = Path(__file__).parent / "schemas"
KUBERNETES = "1.33.4"
RELEASE = "r1"
NAME = f"{RELEASE}-gmv"

PRESETS = ("small", "production", "local")
Manifest = dict[str, Any]

CLAIM: Final[Manifest] = {"index": {"claim": {"name": "an-index"}}}
"""The least that has to be said to install it."""


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Helm, with values of a test's own on its standard input."""
    command = [find_tool("helm"), *arguments, *(("--values", "-") if values is not None else ())]
    environment = os.environ | {"HELM_PLUGINS": os.devnull}
    return subprocess.run(command, input=json.dumps(values), env=environment, capture_output=True, text=True)


def template(
    preset: str | None = None, values: Mapping[str, Any] | None = None, chart: Path = CHART
) -> subprocess.CompletedProcess[str]:
    """Render the chart with a file of values that comes with it, values of a test's own, or both."""
    files = ("--values", str(CHART / f"values-{preset}.yaml")) if preset else ()
    where = ("--namespace", "attribution", "--kube-version", KUBERNETES)
    return helm("template", RELEASE, str(chart), *where, *files, values=values or {})


def manifests(
    preset: str | None = None, values: Mapping[str, Any] | None = None, chart: Path = CHART
) -> list[Manifest]:
    """What `template` renders, parsed."""
    done = template(preset, values, chart)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(values: Mapping[str, Any]) -> str:
    """Why Helm does not render these values."""
    done = template(values=values)
    assert done.returncode != 0, done.stdout
    return done.stderr


def only(found: list[Manifest], kind: str, suffix: str = "") -> Manifest:
    """The one object of a kind and a name."""
    (manifest,) = (one for one in found if one["kind"] == kind and one["metadata"]["name"] == NAME + suffix)
    return manifest


def pod_specs(found: list[Manifest]) -> Iterator[Manifest]:
    """Every pod that the objects make."""
    for manifest in found:
        if manifest["kind"] == "Pod":
            yield manifest["spec"]
        elif "template" in manifest.get("spec", {}):
            yield manifest["spec"]["template"]["spec"]


def worker(found: list[Manifest]) -> tuple[Manifest, Manifest]:
    """The worker's pod, and the container in it."""
    pod = only(found, "StatefulSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return pod, container


def environment(container: Manifest) -> dict[str, str]:
    """Variables that are plain texts."""
    return {variable["name"]: variable["value"] for variable in container["env"] if "value" in variable}


def loaded(config_map: Manifest, path: Path) -> settings.Settings:
    """Settings as gmv itself reads them from a ConfigMap."""
    text = config_map["data"]["gmv.toml"]
    assert tomllib.loads(text)
    (path / "gmv.toml").write_text(text)
    return settings.load(path / "gmv.toml", environment={})


def kubeconform(text: str) -> subprocess.CompletedProcess[str]:
    """Check manifests against the schemas of Kubernetes and of the custom resources used."""
    location = f"{SCHEMAS}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    command = [find_tool("kubeconform"), "-strict", "-schema-location", location]
    return subprocess.run(command, input=text, capture_output=True, text=True)
