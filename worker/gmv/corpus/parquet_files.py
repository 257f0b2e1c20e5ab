"""What all corpora in Parquet share: their files, the columns that name images and owners, reading by batches."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gmv.corpus.catalogue import Row, checked_catalogue
from gmv.corpus.port import TrainingImage
from gmv.errors import CorpusRefused

_CATALOGUE_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; only the weight may be missing, which then is 1."""

    image_id: str = "image_id"
    owner_id: str = "owner_id"
    image: str = "image"
    weight: str = "weight"
    vector: str = "vector"
    tokens: str = "tokens"


COLUMNS = Columns()


class ParquetFiles:
    """One Parquet file, or all in a folder in order of name."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self.columns = columns
        self.files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]

    def catalogue(self) -> list[TrainingImage]:
        """Return ids, owners and weights of all files, checked; raises as `Corpus.catalogue`."""
        return checked_catalogue((row for file in self.files for row in self._rows(file)), str(self.path))

    def column_type(self, file: Path, column: str) -> pa.DataType:
        """Return a column's type.

        Raises:
            CorpusRefused: the file is not Parquet, or has no such column.
        """
        schema = read_schema(file)
        if column not in schema.names:
            raise CorpusRefused(
                f"{file} has no column {column!r}, but {', '.join(schema.names)}; give its names by the options that "
                "end in -column"
            )
        return schema.field(column).type

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Read all files in order, so many rows at a time."""
        for file in self.files:
            yield from _batches(file, columns, rows)

    def _rows(self, file: Path) -> Iterator[Row]:
        columns = self.columns
        required = [columns.image_id, columns.owner_id]
        for column in required:
            self.column_type(file, column)
        wanted = required + [columns.weight] * (columns.weight in read_schema(file).names)
        number = 0
        for batch in _batches(file, wanted, _CATALOGUE_ROWS):
            for values in _as_rows(batch, wanted, f"{file}, rows from {number}"):
                weight = values.get(columns.weight)
                yield Row(f"{file}, row {number}", values[columns.image_id], values[columns.owner_id], weight)
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


def _as_rows(batch: pa.RecordBatch, names: list[str], where: str) -> Iterator[dict[str, Any]]:
    try:
        columns = [batch.column(name).to_pylist() for name in names]
    except UnicodeDecodeError as error:
        raise CorpusRefused(f"{where}: text that is not UTF-8 ({error}); write the file again") from error
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _batches(file: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with _opened(file) as opened, pq.ParquetFile(opened) as parquet:
            yield from parquet.iter_batches(batch_size=rows, columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error
