"""A corpus in Parquet, with an image column as Hugging Face datasets writes it, or one of plain bytes."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from typing_extensions import override

from gmv.corpus.fingerprint import fingerprint
from gmv.corpus.parquet_files import COLUMNS, Columns, ParquetFiles
from gmv.corpus.port import Corpus, ImageFile, MissingImage, TrainingImage
from gmv.errors import CorpusRefused

_IMAGE_ROWS = 256  # of 1 MB each, a batch in memory is 256 MB


class ParquetCorpus(Corpus):
    """A `Corpus` of one Parquet file, or of all in a folder in order of name."""

    def __init__(self, path: Path, columns: Columns = COLUMNS) -> None:
        self._parquet = ParquetFiles(path, columns)

    @property
    @override
    def path(self) -> Path:
        return self._parquet.path

    @override
    def catalogue(self) -> list[TrainingImage]:
        for file in self._parquet.files:
            self._check_images(file)
        return self._parquet.catalogue()

    @override
    def fingerprint(self) -> str:
        return fingerprint(self._parquet.path, f"images {self._parquet.columns}")

    @override
    def images(self) -> Iterator[ImageFile | MissingImage]:
        columns = self._parquet.columns
        for batch in self._parquet.batches([columns.image_id, columns.image], _IMAGE_ROWS):
            images = batch.column(columns.image)
            files = images.field("bytes") if pa.types.is_struct(images.type) else images
            for image_id, content in zip(batch.column(columns.image_id), files, strict=True):
                name = str(image_id.as_py())
                if content.is_valid:
                    yield ImageFile(name, content.as_py())
                else:
                    yield MissingImage(name, "its row holds no image file")

    def _check_images(self, file: Path) -> None:
        column = self._parquet.columns.image
        found = self._parquet.column_type(file, column)
        has_bytes = pa.types.is_struct(found) and found.get_field_index("bytes") >= 0
        files = found.field("bytes").type if has_bytes else found
        if not (pa.types.is_binary(files) or pa.types.is_large_binary(files)):
            raise CorpusRefused(
                f"{file}: column {column!r} is {found}; it should be image files, as binary or in a struct as 'bytes'"
            )
