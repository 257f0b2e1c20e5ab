"""All settings, and how they are shown."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

from gmv.printable import encodable
from gmv.settings.images import ImageSettings
from gmv.settings.kafka import KafkaSettings
from gmv.settings.ledger import LedgerSettings
from gmv.settings.owners import OwnersSettings
from gmv.settings.section import Section
from gmv.settings.tracing import TracingSettings
from gmv.settings.valuation import ValuationSettings
from gmv.settings.worker import WorkerSettings

PREFIX = "GMV_"


class Settings(Section):
    """All sections, and what belongs to none."""

    index: Path | None = Field(
        None,
        description="Folder of the index, as `gmv index build` wrote it, or a link to one: a running worker takes "
        "another index when the link leads to it.",
    )
    images: ImageSettings = ImageSettings()
    valuation: ValuationSettings = ValuationSettings()
    owners: OwnersSettings = OwnersSettings()
    ledger: LedgerSettings = LedgerSettings()
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    tracing: TracingSettings = TracingSettings()

    def redacted(self) -> dict[str, Any]:
        """All settings as JSON values, fit for a log: passwords inside URLs are blotted out."""
        values: dict[str, Any] = _as_json(self.model_dump())
        values["ledger"]["url"] = redact(values["ledger"]["url"])
        return values


def _as_json(value: Any) -> Any:
    """Pydantic itself does so for paths and texts that are UTF-8, and raises for others."""
    match value:
        case Mapping():
            return {name: _as_json(part) for name, part in value.items()}
        case list() | tuple():
            return [_as_json(part) for part in value]
        case str() | Path():
            return encodable(str(value))
    return value


def redact(text: str) -> str:
    """Blot out the passwords of URLs in a text: between user and host, and in a query."""
    return re.sub(r"(password=)[^&\s'\"]*", r"\1***", re.sub(r"(://[^:@/\s]*:)\S*@", r"\1***@", text))


def section_of(field: FieldInfo) -> type[Section] | None:
    """Return the section that a field of `Settings` is, None for a setting that belongs to none."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def fields_by_name() -> dict[str, FieldInfo]:
    """Return every setting by its dotted name, such as "ledger.url"."""
    fields: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        section = section_of(field)
        inner = section.model_fields if section else {}
        fields |= {f"{name}.{each}": inner[each] for each in inner} or {name: field}
    return fields


def variable_of(name: str) -> str:
    """Return the environment variable of a setting: `GMV_LEDGER_URL` of "ledger.url"."""
    return PREFIX + name.replace(".", "_").upper()
