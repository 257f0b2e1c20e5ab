"""Totals as files that other programs read."""

import codecs
import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, Final

import orjson

from gmv.cli.terminal import is_watched
from gmv.ledger.port import Balance
from gmv.printable import printable

COLUMNS: Final = ("owner_id", "credit_micros")


def as_shown(balances: Sequence[Balance]) -> Sequence[Balance]:
    """Return them for stdout: as they are for a program, with names as tables show them on a terminal."""
    if not is_watched():
        return balances
    return [replace(balance, owner_id=printable(balance.owner_id)) for balance in balances]


def write_csv(balances: Sequence[Balance], file: BinaryIO) -> None:
    """Write a header and a row per owner, UTF-8, quoted where needed."""
    rows = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows((balance.owner_id, balance.micros) for balance in balances)


def write_json(balances: Sequence[Balance], file: BinaryIO) -> None:
    """Write one array with an object per owner."""
    rows = [dict(zip(COLUMNS, (balance.owner_id, balance.micros), strict=True)) for balance in balances]
    file.write(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))


def write_parquet(balances: Sequence[Balance], file: BinaryIO) -> None:
    """Write a table of string and int64, neither nullable."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    types = zip(COLUMNS, (pa.string(), pa.int64()), strict=True)
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in types])
    columns = [[balance.owner_id for balance in balances], [balance.micros for balance in balances]]
    parquet.write_table(pa.table(columns, schema=schema), file)


WRITERS: Final[Mapping[str, Callable[[Sequence[Balance], BinaryIO], None]]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}
