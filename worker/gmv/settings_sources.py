"""Where settings come from: dotted flags and TOML files, and which name was meant by one that is unknown."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gmv.errors import InvalidSettings


def did_you_mean(name: str, known: list[str]) -> str:
    """Return the known name that is most like the given one, as the end of a sentence; "" where none is."""
    closest = get_close_matches(name, known, n=1)
    return f" (did you mean {closest[0]}?)" if closest else ""


def nested(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into tables, leaving out what was not given."""
    tables: dict[str, Any] = {}
    for name, value in flags.items():
        if value is not None:
            *group, last = name.split(".", 1)
            (tables.setdefault(group[0], {}) if group else tables)[last] = value
    return tables


def holds(values: Any, key: tuple[str | int, ...]) -> bool:
    """Tell whether nested tables hold a key."""
    for part in key:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a configuration file says.

    Raises:
        InvalidSettings: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidSettings(f"the configuration file {path} is not TOML: {error}") from None
