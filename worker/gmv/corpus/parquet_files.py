"""What all corpora in Parquet share: the columns that name images and owners, and reading in batches."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from gmv.corpus.catalogue import Row
from gmv.corpus.class_labels import class_names, named
from gmv.corpus.names import as_text
from gmv.corpus.tables import Table, Tables, with_folder_values
from gmv.errors import CorpusRefused
from gmv.parquet.batches import batches_of, schema_of
from gmv.parquet.columns import in_microseconds, plain

_CATALOGUE_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; only the weight may be missing, which then is 1, and when an image was registered."""

    image_id: str = "image_id"
    owner_id: str = "owner_id"
    image: str = "image"
    weight: str = "weight"
    vector: str = "vector"
    tokens: str = "tokens"
    registered: str = "registered"


COLUMNS: Final = Columns()

FILE_NAME: Final = "file_name"
"""A column that names image files, in place of one that holds them; also the id, where there is no other."""


class ParquetFiles:
    """The Parquet files of a corpus, in order."""

    def __init__(self, tables: Tables, columns: Columns) -> None:
        self.tables = tables
        self.columns = columns
        self._schemas: dict[Path, pa.Schema] = {}

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all files, in order, unchecked.

        Raises:
            CorpusRefused: a file is not Parquet, or has no such columns.
        """
        for table in self.tables.files:
            yield from self._rows(table)

    def schema(self, table: Table) -> pa.Schema:
        """Return what a file says of its columns, as it did when it was first asked.

        Raises:
            CorpusRefused: it is not Parquet.
        """
        if table.path not in self._schemas:
            with naming(table.path):
                self._schemas[table.path] = schema_of(table.path)
        return self._schemas[table.path]

    def columns_of(self, table: Table) -> Columns:
        """Return the names of a file's columns: files' names stand in for images and ids that have no column."""
        names = self.schema(table).names
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
        schema = self.schema(table)
        if column not in schema.names:
            raise CorpusRefused(
                f"{table.path} has no column {column!r}, but {', '.join(schema.names)}; give its names by the options "
                "that end in -column"
            )
        if schema.names.count(column) > 1:
            raise CorpusRefused(f"{table.path} has several columns {column!r}; keep the one that is meant")
        return schema.field(column).type

    def batches(self, table: Table, columns: Sequence[str]) -> Iterator[tuple[list[str], pa.RecordBatch]]:
        """Read a file in order, some 8 MiB at a time, and yield image ids with the columns.

        Args:
            table: the file.
            columns: beside the id; a name such as `image.bytes` is a struct's field.
        """
        image_id = self.columns_of(table).image_id
        in_file = image_id not in table.values
        labels = class_names(self.schema(table))
        own = [image_id] * in_file
        with naming(table.path):
            for batch in batches_of(table.path, [*columns, *own]):
                rows = _as_rows(batch, f"{table.path}, a row of", own, labels)
                yield [as_text((row | table.values)[image_id]) for row in rows], batch

    def _rows(self, table: Table) -> Iterator[Row]:
        names = self.columns_of(table)
        schema = self.schema(table)
        in_file = []
        optional = (names.weight, names.registered)
        for column in (names.image_id, names.owner_id, *optional):
            if column in schema.names or (column not in optional and column not in table.values):
                self.column_type(table, column)
                in_file.append(column)
        labels = class_names(schema)
        number = 0
        with naming(table.path):
            for batch in batches_of(table.path, in_file or schema.names[:1], _CATALOGUE_ROWS):
                for values in _as_rows(batch, f"{table.path}, rows from {number}", in_file, labels):
                    where = f"{table.path}, row {number}"
                    row = with_folder_values(where, values, table.values)
                    required = row[names.image_id], row[names.owner_id]
                    yield Row(where, *required, *(row.get(column) for column in optional))
                    number += 1


def _as_rows(
    batch: pa.RecordBatch, where: str, names: Sequence[str], labels: Mapping[str, list[str]]
) -> Iterator[dict[str, Any]]:
    try:
        columns = {name: in_microseconds(plain(batch.column(name))).to_pylist() for name in names}
    except UnicodeDecodeError as error:
        raise CorpusRefused(f"{where}: text that is not UTF-8 ({error}); write the file again") from error
    except (OverflowError, ValueError) as error:
        raise CorpusRefused(f"{where}: a value that nothing can be made of ({error}); write the file again") from error
    for name in set(columns) & set(labels):
        columns[name] = [named(value, labels[name]) for value in columns[name]]
    for row in range(batch.num_rows):
        yield {name: values[row] for name, values in columns.items()}


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Refuse what goes wrong in reading a file by the name of it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error
