"""Rows of a CSV file. A quote that is not closed must not swallow any: who is paid hangs on each of them."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from gmv.corpus.text_lines import open_text
from gmv.errors import CorpusRefused

_FIELD_CHARACTERS_MAX = 64 * 2**20  # captions of more than the 131,072 of Python's own limit are found in the wild
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def csv_rows(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row is, and its fields by the names of the first line.

    Args:
        path: UTF-8; fields are parted by commas, and quoted as RFC 4180 has it.
        required: columns that have to be there, once.
        optional: columns that may be there, once.

    Raises:
        CorpusRefused: it is not such a file, or a row has more or fewer fields than the first line, or a field has a
            line break.
    """
    csv.field_size_limit(_FIELD_CHARACTERS_MAX)
    with open_text(path) as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            header = next(reader, [])
            _check_header(path, header, required, optional)
            line = reader.line_num + 1
            for fields in reader:
                if fields:
                    where = f"{path}, line {line}"
                    _check_fields(where, header, fields)
                    yield where, dict(zip(header, fields, strict=True))
                line = reader.line_num + 1
        except csv.Error as error:
            raise CorpusRefused(f"{path}, line {line}: {error}; {_QUOTES}") from error


_QUOTES = "text with commas or quotes belongs in quotes, and a quote within it is written twice"


def _check_header(path: Path, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    wanted = {*required, *optional}
    _check_fields(f"{path}, line 1", header, header)
    for separator, name in _OTHER_SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise CorpusRefused(
                f"{path}, line 1: {header[0]!r} is parted by {name}; it should have commas: save it as "
                "comma-separated, UTF-8"
            )
    for column in sorted(wanted):
        if header.count(column) > 1:
            raise CorpusRefused(f"{path}, line 1: column {column!r} is there twice; keep the one that is meant")
    for column in header:
        if column != column.strip() and column.strip() in wanted:
            raise CorpusRefused(
                f"{path}, line 1: column {column!r} has blanks around its name; take them away, in all lines"
            )
    if missing := [column for column in required if column not in header]:
        raise CorpusRefused(
            f"{path} has no column {missing[0]!r}, but {', '.join(header) or 'nothing'}; its first line should name it"
        )


def _check_fields(where: str, header: Sequence[str], fields: Sequence[str]) -> None:
    broken = next((place for place, field in enumerate(fields) if "\n" in field or "\r" in field), None)
    if broken is not None:
        named = repr(header[broken]) if broken < len(header) else str(broken + 1)
        raise CorpusRefused(
            f"{where}: the field {named} goes on in the next line, as after a quote that is not closed; {_QUOTES}. "
            "Line breaks are read from metadata.jsonl only"
        )
    if len(fields) != len(header):
        raise CorpusRefused(
            f"{where}: {len(fields)} fields, where the first line has {len(header)} ({', '.join(header)}); {_QUOTES}"
        )
