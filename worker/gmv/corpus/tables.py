"""From what a user names to the tables of a corpus: files whose rows name images, their splits, and what is left."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from glob import has_magic
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import unquote

from gmv.corpus.splits import ALL, choose
from gmv.errors import CorpusRefused
from gmv.passed_over import PassedOver, is_hidden, passed_over

METADATA: Final = ("metadata.csv", "metadata.jsonl")
"""Names under which a folder of images says whose they are."""

_METADATA_ENDINGS = (".csv", ".jsonl", ".ndjson")
_HIVE = re.compile(r"(?P<column>[^=]+)=(?P<value>.+)")


class TableKind(Enum):
    """How rows are written."""

    METADATA = auto()
    PARQUET = auto()


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose rows name images.

    Attributes:
        path: of the file.
        root: the folder that image files are in.
        values: columns that its folders' names give to all of its rows, as in `owner_id=ada/`.
    """

    path: Path
    root: Path
    values: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a corpus, of one kind, in the order in which they are read.

    Attributes:
        name: what to call the corpus.
        kind: of all files.
        files: to be read.
        splits: that were chosen; empty where the files name none.
        passed_over: files that might have been meant, and are not read.
    """

    name: str
    kind: TableKind
    files: list[Table]
    splits: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


def find_tables(paths: Sequence[Path], splits: Sequence[str] = ()) -> Tables:
    """Return the tables that a user named: files, patterns such as `data/train-*.parquet`, or folders.

    Files that are named by themselves or by a pattern are all read, unless splits are wanted.

    Args:
        paths: at least one.
        splits: that are wanted; see `choose`.

    Raises:
        CorpusRefused: there is none, some are of another kind, or which split is meant cannot be told.
    """
    found = [_find(path, splits) for path in paths]
    if len({each.kind for each in found}) > 1:
        raise CorpusRefused(f"{', '.join(map(str, paths))}: Parquet files and metadata of folders; give one kind")
    files = {table.path: table for each in found for table in each.files}
    return Tables(
        name=", ".join(map(str, paths)),
        kind=found[0].kind,
        files=list(files.values()),
        splits=tuple(sorted({split for each in found for split in each.splits})),
        passed_over=tuple(entry for each in found for entry in each.passed_over),
    )


def _find(path: Path, splits: Sequence[str]) -> Tables:
    if path.is_dir():
        return _in_folder(path, splits)
    if path.is_file():
        return _chosen(path.parent, [PurePath(path.name)], splits or (ALL,))
    if has_magic(str(path)):
        return _by_pattern(path, splits or (ALL,))
    raise CorpusRefused(
        f"{path} is not there; give Parquet files, or a folder of them, or one with {' or '.join(METADATA)} beside "
        "images"
    )


def _by_pattern(pattern: Path, splits: Sequence[str]) -> Tables:
    parts = pattern.parts
    first = next(place for place, part in enumerate(parts) if has_magic(part))
    root = Path(*parts[:first])
    matched = sorted(file for file in root.glob(str(Path(*parts[first:]))) if file.is_file())
    seen, hidden = _without_hidden(root, matched)
    if not seen:
        raise CorpusRefused(f"no file is named like {pattern}")
    found = _chosen(root, seen, splits)
    return Tables(found.name, found.kind, found.files, found.splits, found.passed_over + hidden)


def _in_folder(folder: Path, splits: Sequence[str]) -> Tables:
    """Take what is in the folder itself, else what is in its folders, at any depth."""
    everything = sorted(file for file in folder.rglob("*") if _may_be_a_table(file) and file.is_file())
    seen, hidden = _without_hidden(folder, everything)
    here = [file for file in seen if len(file.parts) == 1]
    kinds = {_kind(file) for file in here or seen}
    if not kinds:
        raise CorpusRefused(f"{folder} holds neither Parquet files nor {' or '.join(METADATA)} beside images")
    if len(kinds) > 1 or len([file for file in here if file.name in METADATA]) > 1:
        raise CorpusRefused(f"{folder} holds {', '.join(map(str, (here or seen)[:4]))}; name the one that is meant")
    found = _chosen(folder, here or seen, splits)
    deeper = passed_over("in folders below", [file for file in seen if len(file.parts) > 1] if here else [])
    return Tables(found.name, found.kind, found.files, found.splits, found.passed_over + hidden + deeper)


def _chosen(root: Path, files: Sequence[PurePath], splits: Sequence[str]) -> Tables:
    kind = _kind(files[0])
    chosen, taken, others = choose(files, splits)
    tables = [Table(root / file, _image_root(root, file, kind), dict(_folder_values(file))) for file in chosen]
    return Tables(str(root), kind, tables, taken, others)


def _image_root(root: Path, file: PurePath, kind: TableKind) -> Path:
    return (root / file).parent if kind is TableKind.METADATA else root


def _kind(file: PurePath) -> TableKind:
    return TableKind.METADATA if file.suffix.lower() in _METADATA_ENDINGS else TableKind.PARQUET


def _may_be_a_table(file: Path) -> bool:
    return file.name in METADATA or file.suffix.lower() == ".parquet"


def _without_hidden(root: Path, files: Sequence[Path]) -> tuple[list[PurePath], tuple[PassedOver, ...]]:
    """Leave out what systems keep beside files, such as `._corpus.parquet`, `.cache/` and Spark's `_temporary/`."""
    relative = [file.relative_to(root) for file in files]
    hidden = [file for file in relative if is_hidden(file) or any(part.startswith("_") for part in file.parts)]
    seen: list[PurePath] = [file for file in relative if file not in set(hidden)]
    return seen, passed_over("hidden", hidden)


def _folder_values(file: PurePath) -> Iterator[tuple[str, str | None]]:
    for part in file.parts[:-1]:
        if found := _HIVE.fullmatch(part):
            value = unquote(found["value"])
            yield unquote(found["column"]), None if value == "__HIVE_DEFAULT_PARTITION__" else value


def with_folder_values(where: str, row: Mapping[str, Any], values: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a row with what its folders' names say; some programs write that into the file, too.

    Raises:
        CorpusRefused: file and folder do not say the same.
    """
    for column, value in values.items():
        if row.get(column) is not None and str(row[column]) != value:
            raise CorpusRefused(f"{where}: {column} is {row[column]!r}, and its folder says {value!r}")
    return {**row, **values}
