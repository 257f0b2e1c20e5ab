"""Writes docs/configuration.md, the reference of all settings, from the code: `python -m tools.write_configuration`."""

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from gmv.cli.options import SETTINGS_BY_FLAG
from gmv.settings.all import Settings, fields_by_name, section_of, variable_of
from gmv.settings.section import IN_WORDS, Unit

PAGE: Final = Path(__file__).parents[1] / "docs" / "configuration.md"

_HEAD: Final = """# Configuration

All settings of gmv, as `make reference` writes them from [the code](../worker/gmv/settings). Each value is taken from
the first of these that has one:

1. the flag of the command, such as `--ledger`;
2. the environment variable, such as `GMV_LEDGER_URL`; an empty one sets nothing;
3. the TOML file that `--config FILE.toml` or the variable `GMV_CONFIG` names, with a table per section;
4. the default.

```toml
index = "/var/lib/gmv/index"

[ledger]
url = "redis://redis:6379/0"
password_file = "/run/secrets/ledger-password"

[images]
schemes = ["https", "s3"]   # in a variable: GMV_IMAGES_SCHEMES=https,s3
```

Names that gmv does not know and values that are out of range stop the command with exit code 2, and a sentence that
says where they came from. Passwords and private keys are never settings themselves, but files that settings name.
"""
_TABLE_HEAD: Final = "| setting | variable | value | default | unit | meaning |\n|---|---|---|---|---|---|"
_TYPES_IN_WORDS: Final = {"boolean": "`true` or `false`", "integer": "whole number", "number": "number"}


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    fields = fields_by_name()
    flags = {setting: flag for flag, setting in SETTINGS_BY_FLAG.items()}
    schemas = _schemas_by_name()
    yield from ("## Outside of any section", "", _TABLE_HEAD)
    yield from (_row(name, fields[name], schemas[name], flags.get(name)) for name in fields if "." not in name)
    for section_name, field in Settings.model_fields.items():
        section = section_of(field)
        if section is not None:
            yield from ("", f"## {section_name}", "", cleandoc(section.__doc__ or ""), "", _TABLE_HEAD)
            names = [f"{section_name}.{inner}" for inner in section.model_fields]
            yield from (_row(name, fields[name], schemas[name], flags.get(name)) for name in names)


def _schemas_by_name() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each setting by its dotted name."""
    schema = Settings.model_json_schema()
    schemas: dict[str, dict[str, Any]] = {}
    for name, part in schema["properties"].items():
        if reference := part.get("$ref"):
            inner = schema["$defs"][reference.rpartition("/")[2]]["properties"]
            schemas |= {f"{name}.{each}": inner[each] for each in inner}
        else:
            schemas[name] = part
    return schemas


def _row(name: str, field: FieldInfo, schema: dict[str, Any], flag: str | None) -> str:
    setting = f"`{name}`, flag `{flag}`" if flag else f"`{name}`"
    cells = [setting, f"`{variable_of(name)}`", _value(schema), _default(field), _unit(field), field.description or ""]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(schema: dict[str, Any]) -> str:
    """Return in words what a value may be."""
    schema = next((each for each in schema.get("anyOf", []) if each["type"] != "null"), schema)
    if choices := schema.get("enum"):
        return ", ".join(f"`{choice}`" for choice in choices[:-1]) + f" or `{choices[-1]}`"
    if schema["type"] == "array":
        return "list of texts"
    if schema["type"] == "string":
        return IN_WORDS[schema["pattern"]] if "pattern" in schema else schema.get("format", "text")
    return f"{_TYPES_IN_WORDS[schema['type']]}{_limits(schema)}"


def _limits(schema: dict[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to"}
    limits = [f"{word} {schema[limit]:,.10g}" for limit, word in words.items() if limit in schema]
    return "".join(f", {limit}" for limit in limits)


def _default(field: FieldInfo) -> str:
    """Return the default as a variable would have it."""
    match field.default:
        case None | ():
            return "none"
        case bool(flag):
            return f"`{str(flag).lower()}`"
        case float(number):
            return f"`{number:g}`"
    return f"`{field.default}`"


def _unit(field: FieldInfo) -> str:
    return next((each.name for each in field.metadata if isinstance(each, Unit)), "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
