"""A corpus in Parquet, with an image column as Hugging Face datasets writes it, or one of plain bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gmv.errors import CorpusRefused
from gmv.index.catalogue import Row, checked_catalogue
from gmv.index.port import CorpusImage, TrainingImage

_CATALOGUE_ROWS = 65_536
_IMAGE_ROWS = 256  # of 1 MB each, a batch in memory is 256 MB


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; only the weight may be missing, which then is 1."""

    image_id: str = "image_id"
    owner_id: str = "owner_id"
    image: str = "image"
    weight: str = "weight"


COLUMNS = Columns()


class ParquetCorpus:
    """A `Corpus` of one Parquet file, or of all in a folder in order of name."""

    def __init__(self, path: Path, columns: Columns = COLUMNS) -> None:
        self._path = path
        self._columns = columns
        self._files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]

    @property
    def path(self) -> Path:
        """See `Corpus`."""
        return self._path

    def catalogue(self) -> list[TrainingImage]:
        """See `Corpus`."""
        return checked_catalogue((row for file in self._files for row in self._rows(file)), str(self._path))

    def images(self) -> Iterator[CorpusImage]:
        """See `Corpus`."""
        columns = self._columns
        for file in self._files:
            for batch in _batches(file, [columns.image_id, columns.image], _IMAGE_ROWS):
                ids, images = batch.column(columns.image_id), batch.column(columns.image)
                yield from _corpus_images(ids, images)

    def _rows(self, file: Path) -> Iterator[Row]:
        columns = self._columns
        found = _schema(file).names
        for name in (columns.image_id, columns.owner_id, columns.image):
            if name not in found:
                raise CorpusRefused(
                    f"{file} has no column {name!r}, but {', '.join(found)}; name its columns with --image-id-column, "
                    "--owner-id-column and --image-column"
                )
        _check_images(file, columns.image)
        wanted = [name for name in (columns.image_id, columns.owner_id, columns.weight) if name in found]
        number = 0
        for batch in _batches(file, wanted, _CATALOGUE_ROWS):
            for values in _as_rows(batch, wanted, f"{file}, rows from {number}"):
                weight = values.get(columns.weight)
                yield Row(f"{file}, row {number}", values[columns.image_id], values[columns.owner_id], weight)
                number += 1


def _as_rows(batch: pa.RecordBatch, names: list[str], where: str) -> Iterator[dict[str, Any]]:
    try:
        columns = [batch.column(name).to_pylist() for name in names]
    except UnicodeDecodeError as error:
        raise CorpusRefused(f"{where}: text that is not UTF-8 ({error}); write the file again") from error
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _corpus_images(ids: Iterable[Any], images: pa.Array) -> Iterator[CorpusImage]:
    """An image is its file, or a struct that holds it as `bytes`; one that is null cannot be decoded later."""
    files = images.field("bytes") if pa.types.is_struct(images.type) else images
    for image_id, content in zip(ids, files, strict=True):
        yield CorpusImage(str(image_id.as_py()), content.as_py() or b"")


def _check_images(file: Path, column: str) -> None:
    found = _schema(file).field(column).type
    files = found.field("bytes").type if pa.types.is_struct(found) and found.get_field_index("bytes") >= 0 else found
    if not (pa.types.is_binary(files) or pa.types.is_large_binary(files)):
        raise CorpusRefused(
            f"{file}: column {column!r} is {found}; it should be image files, as binary or in a struct as 'bytes'"
        )


def _schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error


def _batches(file: Path, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(file) as opened:
            yield from opened.iter_batches(batch_size=rows, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise CorpusRefused(f"{file} cannot be read as Parquet ({error})") from error
