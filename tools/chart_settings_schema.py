"""Writes into the chart's values.schema.json what `settings` may hold: `python -m tools.chart_settings_schema`.

Everything that gmv itself takes, under the same names and within the same limits, but what the chart decides.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from gmv.ledger.redis.address import SCHEMES
from gmv.settings import Guarded, Settings

SCHEMA: Final = Path(__file__).parent.parent / "helm" / "gmv" / "values.schema.json"

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


def rendered(current: str) -> str:
    """Return the schema file with the settings' part as it should be."""
    schema = json.loads(current)
    own = {name: part for name, part in schema["definitions"].items() if not name.endswith("Settings")}
    schema["definitions"] = own | settings_definitions()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(rendered(SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")
