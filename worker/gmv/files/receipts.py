"""The receipts of a file, and where files of receipts are."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gmv.errors import EventsRefused
from gmv.files.log import IDENTITY_PREFIX
from gmv.ledger.fields import CORRECTIONS_PREFIX
from gmv.ledger.position import Position
from gmv.operations.published import Published

_NAMES_SHOWN_MAX: Final = 5


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


def receipts_path(log: Path) -> Path:
    """Return where the receipts of a file of events or of corrections are, unless they are put elsewhere."""
    return log.with_suffix(".receipts.jsonl")


def receipts_beside(names: Iterable[str], folders: Iterable[Path]) -> list[Path]:
    """Return the receipts files of logs that are files, as far as they are in these folders; each once."""
    found = {
        path.resolve(): path
        for folder in folders
        for name in names
        if (path := folder / receipts_path(Path(name)).name).is_file()
    }
    return list(found.values())


def none_beside(names: Iterable[str], folders: Iterable[Path]) -> str:
    """Say which receipts files of logs that are files were looked for, and in which folders none of them is."""
    sought = [receipts_path(Path(name)).name for name in sorted(names)]
    if not sought:
        return "the ledger knows no topic of Kafka and no file of events"
    places = dict.fromkeys("this folder" if folder == Path() else str(folder) for folder in folders)
    more = f" and {len(sought) - _NAMES_SHOWN_MAX} more" if len(sought) > _NAMES_SHOWN_MAX else ""
    named = ", ".join(sought[:_NAMES_SHOWN_MAX]) + more
    where = " or ".join(places)
    return f"the ledger knows no topic of Kafka, and receipts of its events ({named}) are not in {where}"


def is_of_files_alone(positions: Mapping[tuple[str, int], Position]) -> bool:
    """Return whether the ledger knows files of events, and no topic of Kafka."""
    events = {topic for topic, _ in positions if not topic.startswith(CORRECTIONS_PREFIX)}
    return bool(events) and events == files_of_events(positions)


def files_of_events(positions: Mapping[tuple[str, int], Position]) -> set[str]:
    """Return the names of the files of events that a ledger knows."""
    return {topic for (topic, _), position in positions.items() if position.topic_id.startswith(IDENTITY_PREFIX)}


def files_of_corrections(positions: Mapping[tuple[str, int], Position]) -> set[str]:
    """Return the names of the files of corrections that a ledger knows."""
    return {topic.removeprefix(CORRECTIONS_PREFIX) for topic, _ in positions if topic.startswith(CORRECTIONS_PREFIX)}
