"""From a path to the corpus that is there."""

import hashlib
from pathlib import Path

from gmv.errors import CorpusRefused
from gmv.index.folder_corpus import METADATA, FolderCorpus
from gmv.index.parquet_corpus import COLUMNS, Columns, ParquetCorpus
from gmv.index.port import Corpus


def open_corpus(path: Path, bytes_max: int, columns: Columns = COLUMNS) -> Corpus:
    """Return the corpus at a path: a Parquet file, a folder of them, or a folder of images with `metadata.csv`.

    Args:
        path: where it is.
        bytes_max: largest image file.
        columns: of Parquet files.

    Raises:
        CorpusRefused: there is no corpus.
    """
    if (path / METADATA).is_file():
        return FolderCorpus(path, bytes_max)
    if path.is_file() or any(path.glob("*.parquet")):
        return ParquetCorpus(path, columns)
    what = "holds neither Parquet files nor" if path.is_dir() else "is not there; give a Parquet file, or a folder with"
    raise CorpusRefused(f"{path} {what} {METADATA} beside images")


def fingerprint(path: Path) -> str:
    """Return 32 hex digits over names, sizes and times of all files of a corpus: cheap, and enough to see a change."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        told = file.stat()
        digest.update(f"{file.relative_to(path)}\0{told.st_size}\0{told.st_mtime_ns}\n".encode())
    return digest.hexdigest()
