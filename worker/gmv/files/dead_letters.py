"""Dead letters as JSON lines: how a replay writes them, and how they are read back."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gmv.errors import EventsRefused
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record


def dead_letter_line(partition: Partition, dead_letter: DeadLetter) -> bytes:
    """Return a dead letter as one line of JSON, without its end; bytes are base64."""
    record = dead_letter.record
    return orjson.dumps(
        {
            "topic": partition.topic,
            "partition": partition.number,
            "offset": record.offset,
            "reason": dead_letter.poison.reason,
            "detail": dead_letter.poison.detail,
            "key": _base64(record.key),
            "value": _base64(record.value),
            "headers": [[name, _base64(value)] for name, value in record.headers],
        }
    )


def dead_letters_in_file(path: Path) -> Iterator[FoundDeadLetter]:
    """Yield the dead letters of a file, in constant memory; a last line that a crash tore is none.

    Raises:
        EventsRefused: it cannot be read, or a line is no dead letter.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield _parse(line, f"{path}:{number}")
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give the dead letters that `gmv replay` wrote") from error


def _parse(line: bytes, where: str) -> FoundDeadLetter:
    try:
        fields: dict[str, Any] = orjson.loads(line)
        record = Record(
            offset=int(fields["offset"]),
            value=_bytes(fields["value"]),
            key=_bytes(fields["key"]),
            headers=tuple((str(name), _bytes(value)) for name, value in fields["headers"]),
        )
        partition = Partition(str(fields["topic"]), int(fields["partition"]))
        return FoundDeadLetter(partition, record, str(fields["reason"]), str(fields["detail"]))
    except (ValueError, LookupError, TypeError) as error:
        raise EventsRefused(
            f"{where} is no dead letter ({type(error).__name__}: {error}); give the file that `gmv replay` wrote"
        ) from error


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    """Raises `binascii.Error`, which is a `ValueError`, where the text is no base64."""
    return None if text is None else base64.b64decode(text, validate=True)
