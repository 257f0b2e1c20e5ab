"""Names of classes, which Hugging Face datasets keeps beside the numbers in a column."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def class_names(schema: pa.Schema) -> Mapping[str, list[str]]:
    """Return the names of classes, by column, that Hugging Face datasets keeps beside their numbers.

    `ClassLabel` columns hold numbers from 0, and -1 where there is no label.
    """
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: list(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def named(value: Any, names: list[str]) -> Any:
    """Return a class's name; None for -1, and what is refused as a name where a number has none."""
    if not isinstance(value, int):
        return value
    if value < len(names):
        return names[value] if value >= 0 else None
    return [f"class {value} of {len(names)} names"]
