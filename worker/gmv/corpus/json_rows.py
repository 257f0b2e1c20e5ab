"""Rows of a `metadata.jsonl`, as Hugging Face datasets reads it: one JSON object a line."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gmv.corpus.text_lines import open_text
from gmv.errors import CorpusRefused

_SHOWN_MAX = 12


def json_rows(
    path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row is, and its members; lines without anything are passed over.

    Args:
        path: UTF-8, one object a line.
        required: members that each has to have, once.
        optional: members that each may have, once.

    Raises:
        CorpusRefused: a line is no object, or has a member twice or not at all.
    """
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"{path}, line {number}"
                row, repeated = _object(where, line)
                if missing := [name for name in required if name not in row]:
                    found = ", ".join(list(row)[:_SHOWN_MAX]) or "nothing"
                    raise CorpusRefused(f"{where}: no {missing[0]!r}, but {found}")
                if twice := sorted(repeated.intersection((*required, *optional))):
                    raise CorpusRefused(f"{where}: {twice[0]!r} is there twice; keep the one that is meant")
                yield where, row


def _object(where: str, line: str) -> tuple[dict[str, Any], set[str]]:
    """Return a line's object, and the names that are in it more than once."""
    repeated: set[str] = set()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Called for inner objects first, and for the row last: what is kept is the row's.
        nonlocal repeated
        repeated = {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}
        return dict(pairs)

    try:
        row = json.loads(line, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise CorpusRefused(f"{where}: not one JSON object a line ({error})") from error
    if not isinstance(row, dict):
        raise CorpusRefused(f"{where}: {type(row).__name__} where one JSON object a line is expected")
    return row, repeated
