"""Columns in the forms in which programs write them: dictionaries, views, UUIDs, structs."""

from collections.abc import Callable

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


def in_microseconds(column: pa.Array) -> pa.Array:
    """Return moments in nanoseconds, which Python's lack, in microseconds; any other column as it is."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
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


def field_of(column: pa.Array, name: str, fits: Callable[[pa.DataType], bool]) -> pa.Array | None:
    """Return a struct's field, or a column that is no struct, as `plain`; None where its values do not fit.

    Args:
        column: such as images, as structs of `bytes` and `path` or as bytes.
        name: of the field.
        fits: whether values of a type are what is wanted, such as `is_bytes`.
    """
    whole = plain(column)
    if fits(whole.type):
        return whole
    return plain(whole.field(name)) if fits(field_type(whole.type, name)) else None
