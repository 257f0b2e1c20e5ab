"""Totals as files that other programs read."""

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from gmv.errors import InvalidSettings
from gmv.ledger.port import Balance

COLUMNS: Final = ("owner_id", "credit_micros")


def write_csv(balances: Sequence[Balance], file: BinaryIO) -> None:
    """Write a header and a row per owner, UTF-8, quoted where needed."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows((balance.owner_id, balance.micros) for balance in balances)
    text.detach()


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


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the path's place once it is whole and on disk; if the block fails, it is gone.

    Raises:
        InvalidSettings: no file can be made there.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise InvalidSettings(f"--out {path} is there and is no file; give another name")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        file = partial.open("wb")
    except OSError as error:
        raise InvalidSettings(f"--out {path}: {error.strerror}; give a file in a folder that can be written") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
