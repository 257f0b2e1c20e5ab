"""Text files whose rows name images, opened as UTF-8; what is none is refused by line."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gmv.errors import CorpusRefused

_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a file of text, with or without a byte order mark; its ends of line are left as they are.

    Raises:
        CorpusRefused: it cannot be read, or is not UTF-8; also raised for what the caller reads.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise CorpusRefused(f"{path}, {_first_line_that_is_not_utf8(path)}; save it as UTF-8") from error
    except OSError as error:
        raise CorpusRefused(f"{path} cannot be read ({error.strerror})") from error


def _first_line_that_is_not_utf8(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) in _OTHER_ENCODINGS:
            return "line 1: it is UTF-16"
        file.seek(0)
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f"line {number}: {error.reason} at byte {error.start + 1}, so it is not UTF-8"
    return "it changed while it was read, and was not UTF-8"
