"""A corpus in Parquet, with an image column as Hugging Face datasets writes it, or one of plain bytes, or of paths."""

from collections.abc import Iterator
from os.path import relpath
from pathlib import Path

from typing_extensions import override

from gmv.corpus.catalogue import checked_catalogue
from gmv.corpus.fingerprint import fingerprint
from gmv.corpus.named_file import is_inside, is_there, read_image, shown
from gmv.corpus.parquet_files import Columns, ParquetFiles
from gmv.corpus.port import Catalogue, Corpus, ImageFile, MissingImage
from gmv.corpus.tables import Table, Tables
from gmv.errors import CorpusRefused
from gmv.parquet.columns import field_of, field_type, is_bytes, is_text, plain_type


class ParquetCorpus(Corpus):
    """A `Corpus` of Parquet files.

    Args:
        tables: the files.
        columns: names of their columns.
        bytes_max: largest image file that is read, where rows name files.
    """

    def __init__(self, tables: Tables, columns: Columns, bytes_max: int) -> None:
        self._parquet = ParquetFiles(tables, columns)
        self._bytes_max = bytes_max

    @property
    @override
    def name(self) -> str:
        return self._parquet.tables.name

    @override
    def catalogue(self) -> Catalogue:
        for table in self._parquet.tables.files:
            self._check_images(table)
        return checked_catalogue(self._parquet.rows(), self._parquet.tables)

    @override
    def fingerprint(self) -> str:
        tables = self._parquet.tables
        return fingerprint([table.path for table in tables.files], f"images {self._parquet.columns}")

    @override
    def images(self) -> Iterator[ImageFile | MissingImage]:
        for table in self._parquet.tables.files:
            yield from self._images(table)

    def _images(self, table: Table) -> Iterator[ImageFile | MissingImage]:
        column = self._parquet.columns_of(table).image
        for image_ids, batch in self._parquet.batches(table, [column]):
            images = batch.column(column)
            contents, paths = field_of(images, "bytes", is_bytes), field_of(images, "path", is_text)
            for row, image_id in enumerate(image_ids):
                if contents is not None and contents[row].is_valid:
                    yield ImageFile(image_id, contents[row].as_py())
                elif paths is not None and paths[row].is_valid:
                    yield self._named(image_id, table, paths[row].as_py())
                else:
                    yield MissingImage(image_id, "its row holds no image file")

    def _named(self, image_id: str, table: Table, name: str) -> ImageFile | MissingImage:
        """Paths are relative to the corpus's folder or to the file's own, or are within the corpus's folder."""
        within = relpath(name, table.root.absolute()) if Path(name).is_absolute() else name
        if not is_inside(within):
            return MissingImage(
                image_id,
                f"its row holds no image file, and its path {shown(name)} leads out of {table.root}",
            )
        files = [folder / within for folder in (table.root, table.path.parent)]
        return read_image(image_id, next(filter(is_there, files), files[0]), self._bytes_max)

    def _check_images(self, table: Table) -> None:
        column = self._parquet.columns_of(table).image
        found = self._parquet.column_type(table, column)
        kinds = plain_type(found), field_type(plain_type(found), "bytes"), field_type(plain_type(found), "path")
        if not (is_bytes(kinds[0]) or is_text(kinds[0]) or is_bytes(kinds[1]) or is_text(kinds[2])):
            raise CorpusRefused(
                f"{table.path}: column {column!r} is {found}; it should be image files, as binary or in a struct as "
                "'bytes', or their paths"
            )
