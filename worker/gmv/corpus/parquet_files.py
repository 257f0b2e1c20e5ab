"""What all corpora in Parquet share: the columns that name images and owners, and reading in batches."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gmv.corpus.catalogue import Row
from gmv.corpus.names import as_text
from gmv.corpus.parquet_columns import class_names, named, plain
from gmv.corpus.tables import Table, Tables, with_folder_values
from gmv.errors import CorpusRefused

_CATALOGUE_ROWS = 65_536
_BATCH_BYTES = 8 * 2**20
_BATCH_ROWS = 32  # where a few images are far above the mean, this many of them are in memory
_READ_BYTES = 8 * 2**20  # a column of a row group is read so many bytes at a time, not whole


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; only the weight may be missing, which then is 1."""

    image_id: str = "image_id"
    owner_id: str = "owner_id"
    image: str = "image"
    weight: str = "weight"
    vector: str = "vector"
    tokens: str = "tokens"


COLUMNS: Final = Columns()

FILE_NAME: Final = "file_name"
"""A column that names image files, in place of one that holds them; also the id, where there is no other."""


class ParquetFiles:
    """The Parquet files of a corpus, in order."""

    def __init__(self, tables: Tables, columns: Columns) -> None:
        self.tables = tables
        self.columns = columns

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all files, in order, unchecked.

        Raises:
            CorpusRefused: a file is not Parquet, or has no such columns.
        """
        for table in self.tables.files:
            yield from self._rows(table)

    def columns_of(self, table: Table) -> Columns:
        """Return the names of a file's columns: files' names stand in for images and ids that have no column."""
        names = read_schema(table.path).names
        stand_in = {
            which: FILE_NAME
            for which in ("image_id", "image")
            if FILE_NAME in names and getattr(self.columns, which) not in (*names, *table.values)
        }
        return replace(self.columns, **stand_in)

    def column_type(self, table: Table, column: str) -> pa.DataType:
        """Return a column's type.

        Raises:
            CorpusRefused: the file is not Parquet, or has no such column, or several.
        """
        schema = read_schema(table.path)
        if column not in schema.names:
            raise CorpusRefused(
                f"{table.path} has no column {column!r}, but {', '.join(schema.names)}; give its names by the options "
                "that end in -column"
            )
        if schema.names.count(column) > 1:
            raise CorpusRefused(f"{table.path} has several columns {column!r}; keep the one that is meant")
        return schema.field(column).type

    def batches(self, table: Table, columns: Sequence[str]) -> Iterator[tuple[list[str], pa.RecordBatch]]:
        """Read a file in order, some 32 MiB at a time, and yield image ids with the columns.

        Args:
            table: the file.
            columns: beside the id; a name such as `image.bytes` is a struct's field.
        """
        image_id = self.columns_of(table).image_id
        in_file = image_id not in table.values
        labels = class_names(read_schema(table.path))
        for batch in _batches(table.path, [*columns, *[image_id] * in_file], None):
            where = f"{table.path}, a row of"
            rows = _as_rows(batch, where, [image_id] * in_file, labels)
            yield [as_text((row | table.values)[image_id]) for row in rows], batch

    def _rows(self, table: Table) -> Iterator[Row]:
        names = self.columns_of(table)
        schema = read_schema(table.path)
        in_file = []
        for column in (names.image_id, names.owner_id, names.weight):
            if column in schema.names or (column != names.weight and column not in table.values):
                self.column_type(table, column)
                in_file.append(column)
        labels = class_names(schema)
        number = 0
        for batch in _batches(table.path, in_file or schema.names[:1], _CATALOGUE_ROWS):
            for values in _as_rows(batch, f"{table.path}, rows from {number}", in_file, labels):
                where = f"{table.path}, row {number}"
                row = with_folder_values(where, values, table.values)
                yield Row(where, row[names.image_id], row[names.owner_id], row.get(names.weight))
                number += 1


def read_schema(file: Path) -> pa.Schema:
    """Read what a file says of its columns.

    Raises:
        CorpusRefused: it is not Parquet.
    """
    try:
        with _opened(file) as opened:
            return pq.read_schema(opened)
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error


def _opened(file: Path) -> pa.OSFile:
    return pa.OSFile(os.fsencode(file))  # of a name in text it makes UTF-8, which not every file's name is


def _as_rows(
    batch: pa.RecordBatch, where: str, names: Sequence[str], labels: Mapping[str, list[str]]
) -> Iterator[dict[str, Any]]:
    try:
        columns = {name: plain(batch.column(name)).to_pylist() for name in names}
    except UnicodeDecodeError as error:
        raise CorpusRefused(f"{where}: text that is not UTF-8 ({error}); write the file again") from error
    for name in set(columns) & set(labels):
        columns[name] = [named(value, labels[name]) for value in columns[name]]
    for row in range(batch.num_rows):
        yield {name: values[row] for name, values in columns.items()}


def _batches(file: Path, columns: Sequence[str], rows: int | None) -> Iterator[pa.RecordBatch]:
    # Of 260 images of 9 MB, a page holds 1.2 GB. Arrow keeps that for the next page, and puts batches beside it that
    # leave gaps: a build took 2.3 GB, and takes 2.0 with batches elsewhere and the page given back.
    pages = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        with _opened(file) as opened, pq.ParquetFile(opened, buffer_size=_READ_BYTES, pre_buffer=False) as parquet:
            for group in range(parquet.metadata.num_row_groups):
                at_once = rows or _rows_at_once(parquet.metadata.row_group(group))
                yield from parquet.iter_batches(at_once, [group], list(columns), use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error
    finally:
        pa.set_memory_pool(pages)
        pages.release_unused()


def _rows_at_once(group: Any) -> int:
    row_bytes: int = group.total_byte_size // max(1, group.num_rows)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, row_bytes)))
