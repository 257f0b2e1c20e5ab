"""Parquet columns in the forms in which programs write them: dictionaries, views, UUIDs, class labels, structs."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def plain(column: pa.Array) -> pa.Array:
    """Return a column without dictionary and extension around its values, UUIDs excepted."""
    if isinstance(column, pa.DictionaryArray):
        return plain(column.dictionary_decode())
    if isinstance(column, pa.ExtensionArray) and not isinstance(column, pa.UuidArray):
        return plain(column.storage)
    return column


def plain_type(column: pa.DataType) -> pa.DataType:
    """Return what `plain` makes of a type."""
    if isinstance(column, pa.DictionaryType):
        return plain_type(column.value_type)
    if isinstance(column, pa.BaseExtensionType) and not isinstance(column, pa.UuidType):
        return plain_type(column.storage_type)
    return column


def is_bytes(column: pa.DataType) -> bool:
    """Return whether values are bytes, however they are stored."""
    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(kind(column) for kind in kinds)


def is_text(column: pa.DataType) -> bool:
    """Return whether values are text, however they are stored."""
    return any(kind(column) for kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def field_type(column: pa.DataType, name: str) -> pa.DataType:
    """Return the plain type of a struct's field; null where there is none."""
    if not pa.types.is_struct(column) or column.get_field_index(name) < 0:
        return pa.null()
    return plain_type(column.field(name).type)


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
