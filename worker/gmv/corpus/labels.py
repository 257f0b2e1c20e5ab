"""What is on training images, where a corpus in Parquet has a column that says so; nothing that decides a credit."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from gmv.corpus.class_labels import class_names, named
from gmv.corpus.parquet_files import COLUMNS, Columns, ParquetFiles, naming
from gmv.corpus.tables import TableKind, find_tables
from gmv.errors import CorpusRefused
from gmv.parquet.batches import batches_of, schema_of
from gmv.parquet.columns import plain


def labels_of(
    paths: Sequence[Path], column: str, columns: Columns = COLUMNS, splits: Sequence[str] = ()
) -> dict[str, str]:
    """Return labels by image id; rows without a label are left out.

    Args:
        paths: Parquet files, patterns or folders of them, of one split.
        column: of labels, text or numbers.
        columns: names of the other columns.
        splits: to read; empty: train where files name splits.

    Raises:
        CorpusRefused: they are something else, or have no such column.
    """
    tables = find_tables(paths, splits)
    if tables.kind is not TableKind.PARQUET:
        raise CorpusRefused(f"{tables.name} holds no Parquet files; labels are read from these alone")
    parquet = ParquetFiles(tables, columns)
    labels: dict[str, str] = {}
    for table in tables.files:
        for wanted in (column, parquet.columns_of(table).image_id):
            if wanted not in table.values:
                parquet.column_type(table, wanted)
        names = class_names(parquet.schema(table)).get(column)
        for image_ids, batch in parquet.batches(table, [column]):
            found = zip(image_ids, _texts(batch.column(column), names), strict=True)
            labels |= {image_id: label for image_id, label in found if label is not None}
    return labels


def label_rows(path: Path, column: str) -> Iterator[str | None]:
    """Yield the label of each row of a Parquet file; nothing where it has no such column.

    Raises:
        CorpusRefused: it cannot be read as Parquet.
    """
    with naming(path):
        schema = schema_of(path)
        if column in schema.names:
            for batch in batches_of(path, [column]):
                yield from _texts(batch.column(0), class_names(schema).get(column))


def _texts(column: pa.Array, names: list[str] | None) -> Iterator[str | None]:
    for value in plain(column).to_pylist():
        label = named(value, names) if names else value
        yield None if label is None else str(label)
