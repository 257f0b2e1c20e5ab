"""A corpus in a folder: image files, and a `metadata.csv` that names them and their owners."""

import csv
from collections.abc import Iterator
from pathlib import Path

from typing_extensions import override

from gmv.corpus.catalogue import Row, checked_catalogue
from gmv.corpus.fingerprint import fingerprint
from gmv.corpus.port import Corpus, ImageFile, MissingImage, TrainingImage
from gmv.errors import CorpusRefused

METADATA = "metadata.csv"
_REQUIRED = ("file_name", "owner_id")


class FolderCorpus(Corpus):
    """A `Corpus` of a folder; columns `file_name`, `owner_id`, and if wanted `image_id` (else the name) and `weight`.

    Args:
        path: the folder.
        bytes_max: largest file that is read.
    """

    def __init__(self, path: Path, bytes_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max

    @property
    @override
    def path(self) -> Path:
        return self._path

    @override
    def catalogue(self) -> list[TrainingImage]:
        return checked_catalogue(
            (
                Row(where, _image_id(row), row["owner_id"], row.get("weight"))
                for where, row in self._rows()
                if self._file(where, row)
            ),
            str(self._path / METADATA),
        )

    @override
    def fingerprint(self) -> str:
        return fingerprint(self._path, "folder")

    @override
    def images(self) -> Iterator[ImageFile | MissingImage]:
        for where, row in self._rows():
            path = self._file(where, row)
            try:
                with path.open("rb") as file:
                    content = file.read(self._bytes_max + 1)
            except OSError as error:
                yield MissingImage(_image_id(row), f"{path}: {error.strerror}")
            else:
                yield ImageFile(_image_id(row), content)

    def _rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield rows and where they are."""
        metadata = self._path / METADATA
        try:
            with metadata.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
                if missing:
                    raise CorpusRefused(f"{metadata} has no column {missing[0]!r}; its first line should name it")
                for row in reader:
                    yield f"{metadata}, line {reader.line_num}", row
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CorpusRefused(f"{metadata} cannot be read as UTF-8 CSV ({error})") from error

    def _file(self, where: str, row: dict[str, str]) -> Path:
        name = row["file_name"]
        if not name or "\0" in name or not (self._path / name).resolve().is_relative_to(self._path.resolve()):
            raise CorpusRefused(f"{where}: file_name {name!r} should name a file inside {self._path}")
        return self._path / name


def _image_id(row: dict[str, str]) -> str:
    return row.get("image_id") or row["file_name"]
