"""Writes `settings`, and which values have to be there, into the schema: `python -m tools.chart_settings_schema`.

Settings are everything that gmv itself takes, under the same names and within the same limits, but what the chart
decides. What values.yaml has must be there: a value that is set to null is taken away by Helm, default and all, and the
chart would render nothing, or reckon with nothing, in its place.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gmv.ledger.redis.address import SCHEMES
from gmv.settings import Guarded, Settings

CHART: Final = Path(__file__).parent.parent / "helm" / "gmv"
SCHEMA: Final = CHART / "values.schema.json"

# Where the chart mounts them; how many pods there are, and where they listen.
DECIDED_BY_THE_CHART: Final = {
    "Settings": {"index"},
    "KafkaSettings": {"instance_id", *(name for name in Guarded.model_fields if name.endswith("_file"))},
    "LedgerSettings": {name for name in Guarded.model_fields if name.endswith("_file")},
    "WorkerSettings": {"web_bind"},
}

# A SQLite file would go with its pod, and a password does not belong into a ConfigMap.
LEDGER_URL_PATTERN: Final = rf"^({'|'.join(map(re.escape, SCHEMES))})://[^@]+$"


def settings_definitions() -> dict[str, Any]:
    """Return a JSON Schema definition per group of settings, and one of them all."""
    schema = Settings.model_json_schema(ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs") | {"Settings": schema}
    for name, decided in DECIDED_BY_THE_CHART.items():
        for setting in decided:
            del definitions[name]["properties"][setting]
    definitions["LedgerSettings"]["properties"]["url"]["pattern"] = LEDGER_URL_PATTERN
    for definition in definitions.values():
        definition.pop("title")
        for setting in definition["properties"].values():
            setting.pop("title", None)
            setting.pop("default", None)
    return dict(sorted(definitions.items()))


def require(schema: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Have an object's schema require what the values have, at every depth, but what may be null."""
    known = schema["properties"]
    schema["required"] = [name for name in values if "null" not in known[name].get("type", "")]
    for name, value in values.items():
        if "properties" in known[name] and name != "settings":
            require(known[name], value)


def required(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that asks for these values, whatever they may be."""
    inner = {name: required(value) for name, value in values.items() if isinstance(value, dict)}
    return {"required": list(values)} | ({"properties": inner} if inner else {})


def rendered(current: str) -> str:
    """Return the schema file with the settings' part as it should be."""
    schema = json.loads(current)
    own = {name: part for name, part in schema["definitions"].items() if not name.endswith("Settings")}
    schema["definitions"] = own | settings_definitions()
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    require(schema, values)
    schema["properties"]["settings"] = {"allOf": [{"$ref": "#/definitions/Settings"}]} | required(values["settings"])
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(rendered(SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")
