"""A corpus in a folder: image files, and a `metadata.csv` or `metadata.jsonl` that names them and their owners."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from gmv.corpus.catalogue import Row, checked_catalogue
from gmv.corpus.csv_rows import csv_rows
from gmv.corpus.fingerprint import fingerprint
from gmv.corpus.json_rows import json_rows
from gmv.corpus.named_file import named_file, not_named, read_image
from gmv.corpus.names import as_text
from gmv.corpus.parquet_files import FILE_NAME, Columns
from gmv.corpus.port import Catalogue, Corpus, ImageFile, MissingImage
from gmv.corpus.tables import Tables, with_folder_values


class _Named(NamedTuple):
    """A row, and the image file that it names."""

    row: Row
    file: Path


class FolderCorpus(Corpus):
    """A `Corpus` of image files.

    Rows have `file_name`, an owner and, if wanted, an id (else the name), a weight, and when the image was registered.

    Args:
        tables: `metadata.csv` or `metadata.jsonl`, or files like these; names in them are relative to their folder.
        columns: names of the columns of ids, owners and weights.
        bytes_max: largest file that is read.
    """

    def __init__(self, tables: Tables, columns: Columns, bytes_max: int) -> None:
        self._tables = tables
        self._columns = columns
        self._bytes_max = bytes_max

    @property
    @override
    def name(self) -> str:
        return self._tables.name

    @override
    def catalogue(self) -> Catalogue:
        named = list(self._named())
        roots = {table.root for table in self._tables.files}
        files = {each.file for each in named} | {table.path for table in self._tables.files}
        return checked_catalogue((each.row for each in named), self._tables, not_named(roots, files))

    @override
    def fingerprint(self) -> str:
        return fingerprint(self._files(), f"folder {self._columns}")

    @override
    def images(self) -> Iterator[ImageFile | MissingImage]:
        for row, file in self._named():
            yield read_image(as_text(row.image_id), file, self._bytes_max)

    def _files(self) -> Iterator[Path]:
        yield from (table.path for table in self._tables.files)
        yield from (named.file for named in self._named())

    def _named(self) -> Iterator[_Named]:
        columns = self._columns
        for table in self._tables.files:
            rows = csv_rows if table.path.suffix.lower() == ".csv" else json_rows
            required = [name for name in (FILE_NAME, columns.owner_id) if name not in table.values]
            for where, row in rows(table.path, required, (columns.image_id, columns.weight, columns.registered)):
                values = with_folder_values(where, row, table.values)
                file = named_file(table.root, values[FILE_NAME], where)
                image_id = values.get(columns.image_id)
                image_id = values[FILE_NAME] if image_id is None or image_id == "" else image_id
                optional = values.get(columns.weight), values.get(columns.registered)
                yield _Named(Row(where, image_id, values[columns.owner_id], *optional), file)
