"""The receipts of a file."""

from collections.abc import Iterator
from pathlib import Path

from gmv.errors import EventsRefused
from gmv.operations.published import Published


def receipts_in(path: Path) -> Iterator[Published]:
    """Yield the lines of a receipts file.

    Raises:
        EventsRefused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield Published(f"{path}:{number}", line)
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give the receipts file that `gmv replay` wrote") from error
