"""From a path to the corpus that is there."""

from pathlib import Path

from gmv.corpus.features import FeaturesCorpus
from gmv.corpus.folder import METADATA, FolderCorpus
from gmv.corpus.parquet import ParquetCorpus
from gmv.corpus.parquet_files import COLUMNS, Columns
from gmv.corpus.port import Corpus
from gmv.errors import CorpusRefused


def open_corpus(path: Path, bytes_max: int, columns: Columns = COLUMNS, encoder_id: str | None = None) -> Corpus:
    """Return the corpus at a path: a Parquet file, a folder of them, or a folder of images with `metadata.csv`.

    Args:
        path: where it is.
        bytes_max: largest image file.
        columns: of Parquet files.
        encoder_id: of the encoder whose features the Parquet files hold; None: they hold images.

    Raises:
        CorpusRefused: there is no corpus.
    """
    if encoder_id is None and (path / METADATA).is_file():
        return FolderCorpus(path, bytes_max)
    if path.is_file() or any(path.glob("*.parquet")):
        return ParquetCorpus(path, columns) if encoder_id is None else FeaturesCorpus(path, encoder_id, columns)
    what = "holds neither Parquet files nor" if path.is_dir() else "is not there; give a Parquet file, or a folder with"
    raise CorpusRefused(f"{path} {what} {METADATA} beside images")
