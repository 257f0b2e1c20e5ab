"""Makes the JSON Schemas that kubeconform checks the chart by: `python -m tests.deploy.make_schemas`.

They come from where the API server has its own: Kubernetes' OpenAPI document, and the custom resource definitions of
KEDA and of the Prometheus operator, in Go modules of pinned versions. Written are the kinds that the chart renders, one
to a file, without prose, and strict: a field that the API does not know is an error.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.services.go_tools import environment, find_go

SCHEMAS: Final = Path(__file__).parent / "schemas"

KUBERNETES: Final = "k8s.io/kubernetes@v1.33.4"
KINDS: Final = {
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.apps.v1.StatefulSet",
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "io.k8s.api.batch.v1.Job",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.PersistentVolumeClaim",
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.core.v1.ServiceAccount",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
}
_KEDA = "github.com/kedacore/keda/v2@v2.17.2"
_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
DEFINITIONS: Final = (
    (_KEDA, "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (_KEDA, "config/crd/bases/keda.sh_triggerauthentications.yaml"),
    (_OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
    (_OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
)

_REFERENCE = "#/definitions/"
_NUMBER_OR_TEXT = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
_OWN_FORMS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"anyOf": [{"type": "number"}, {"type": "string"}]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _NUMBER_OR_TEXT,
}


def strict(schema: Any) -> Any:
    """Return a schema without prose, in which an object takes the properties that it names and no others."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return _NUMBER_OR_TEXT
    kept = {
        key: {name: strict(part) for name, part in value.items()} if key == "properties" else strict(value)
        for key, value in schema.items()
        if key not in {"description", "default", "format"} and not key.startswith("x-kubernetes-")
    }
    if "properties" in kept and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


def reachable(name: str, definitions: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the definitions that one refers to, itself included."""
    seen, waiting = set(), [name]
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            yield found
            waiting += re.findall(rf'"{_REFERENCE}([^"]+)"', json.dumps(definitions[found]))


def kubernetes_schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file name and schema of each of `KINDS`."""
    definitions = {name: strict(schema) for name, schema in document["definitions"].items()} | _OWN_FORMS
    for name in sorted(KINDS):
        (identity,) = document["definitions"][name]["x-kubernetes-group-version-kind"]
        needed = {part: definitions[part] for part in sorted(reachable(name, definitions))}
        schema = needed.pop(name)
        schema["properties"] |= named(identity["group"], identity["version"], identity["kind"])
        yield file_name(identity["group"], identity["version"], identity["kind"]), schema | {"definitions": needed}


def custom_schemas(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file name and schema of each served version of a custom resource."""
    group, kind = definition["spec"]["group"], definition["spec"]["names"]["kind"]
    for version in definition["spec"]["versions"]:
        if version["served"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= named(group, version["name"], kind) | {"metadata": {"type": "object"}}
            yield file_name(group, version["name"], kind), schema


def named(group: str, version: str, kind: str) -> dict[str, Any]:
    """Return the two properties that say what an object is."""
    return {"apiVersion": {"const": f"{group}/{version}" if group else version}, "kind": {"const": kind}}


def file_name(group: str, version: str, kind: str) -> str:
    """Return the name that kubeconform's `{{.ResourceKind}}{{.KindSuffix}}` gives."""
    return "-".join(filter(None, (kind, group.partition(".")[0], version))).lower() + ".json"


def module(name: str) -> Path:
    """Download a Go module, checked by Go's own sum database, and return its folder."""
    command = [find_go(), "mod", "download", "-json", name]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}: {done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


def main() -> None:
    """Write all of them."""
    document = json.loads((module(KUBERNETES) / "api" / "openapi-spec" / "swagger.json").read_text())
    schemas = dict(kubernetes_schemas(document))
    for name, path in DEFINITIONS:
        schemas |= custom_schemas(yaml.safe_load((module(name) / path).read_text()))
    for name, schema in schemas.items():
        content = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#"} | schema, separators=(",", ":"))
        (SCHEMAS / name).write_text(content + "\n")


if __name__ == "__main__":
    main()
