"""Tables as files that other programs read."""

import codecs
import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import orjson

from gmv.cli.terminal import is_watched
from gmv.ledger.port import Balance
from gmv.printable import printable


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; a column's type is `str`, `str | None` or `int`."""

    columns: Mapping[str, Any]
    rows: Iterable[tuple[Any, ...]]


def balances_table(balances: Iterable[Balance]) -> Table:
    """Return owners' totals."""
    return Table({"owner_id": str, "credit_micros": int}, [(each.owner_id, each.micros) for each in balances])


def as_shown(table: Table) -> Table:
    """Return it for stdout: as it is for a program, with names as tables show them on a terminal."""
    if not is_watched():
        return table
    shown = (tuple(printable(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows)
    return replace(table, rows=shown)


def write_csv(table: Table, file: BinaryIO) -> None:
    """Write a header and the rows, UTF-8, quoted where needed; None is an empty field."""
    rows = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
    rows.writerow(table.columns)
    rows.writerows(table.rows)


def write_json(table: Table, file: BinaryIO) -> None:
    """Write one array with an object per row."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    file.write(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))


def write_parquet(table: Table, file: BinaryIO) -> None:
    """Write a table of strings and int64, of which no column is nullable but those that say so."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    types = {str: pa.string(), int: pa.int64(), str | None: pa.string()}
    schema = pa.schema(
        [pa.field(name, types[kind], nullable=kind == str | None) for name, kind in table.columns.items()]
    )
    rows = list(table.rows)
    columns = [[row[place] for row in rows] for place in range(len(table.columns))]
    parquet.write_table(pa.table(columns, schema=schema), file)


WRITERS: Final[Mapping[str, Callable[[Table, BinaryIO], None]]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}
