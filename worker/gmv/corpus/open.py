"""From paths to the corpus that is there."""

from collections.abc import Sequence
from pathlib import Path

from gmv.corpus.features import FeaturesCorpus
from gmv.corpus.folder import FolderCorpus
from gmv.corpus.parquet import ParquetCorpus
from gmv.corpus.parquet_files import COLUMNS, Columns
from gmv.corpus.port import Corpus
from gmv.corpus.tables import TableKind, find_tables
from gmv.errors import CorpusRefused


def open_corpus(
    paths: Sequence[Path],
    bytes_max: int,
    columns: Columns = COLUMNS,
    encoder_id: str | None = None,
    splits: Sequence[str] = (),
) -> Corpus:
    """Return the corpus at paths: Parquet files, or folders of images with `metadata.csv` or `metadata.jsonl`.

    Args:
        paths: files, folders or patterns.
        bytes_max: largest image file.
        columns: names of the columns.
        encoder_id: of the encoder whose features the Parquet files hold; None: they hold images.
        splits: to read; empty: train where files name splits.

    Raises:
        CorpusRefused: there is no corpus, or what is meant cannot be told.
    """
    tables = find_tables(paths, splits)
    if encoder_id is not None:
        if tables.kind is not TableKind.PARQUET:
            raise CorpusRefused(f"{tables.name} holds no Parquet files; features are read from these alone")
        return FeaturesCorpus(tables, encoder_id, columns)
    if tables.kind is TableKind.METADATA:
        return FolderCorpus(tables, columns, bytes_max)
    return ParquetCorpus(tables, columns, bytes_max)
