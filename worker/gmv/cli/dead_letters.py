"""Dead letters that commands read, and how they look, to machines and to people."""

import base64
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType

from gmv.cli.output import table
from gmv.operations.redriving import HeldBack, RedrivePlan
from gmv.settings import Settings
from gmv.stream.dead_letters import FoundDeadLetter

VALUE_CHARACTERS_SHOWN: Final = 2_000


def dead_letters_of(file: Path | None, settings: Settings) -> Iterator[FoundDeadLetter]:
    """Yield all dead letters: of a file, or of the settings' topic where none is named."""
    if file is not None:
        from gmv.files.dead_letters import dead_letters_in_file

        return dead_letters_in_file(file)
    from gmv.kafka.dead_letters import dead_letters_in_topic

    return dead_letters_in_topic(settings.kafka)


def told(letter: FoundDeadLetter) -> dict[str, Any]:
    """Return what `--json` prints of a letter, less its content."""
    return {
        "topic": letter.partition.topic,
        "partition": letter.partition.number,
        "offset": letter.record.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "event": letter.event_name()._asdict(),
        "replayed_from": letter.replayed_from,
        "dead_lettered_at": _time(letter),
        "value_bytes": None if letter.record.value is None else len(letter.record.value),
    }


def content(letter: FoundDeadLetter) -> dict[str, Any]:
    """Return the record as it is, bytes as base64."""
    record = letter.record
    return {
        "key": _base64(record.key),
        "headers": [[name, _base64(value)] for name, value in record.headers],
        "value": _base64(record.value),
    }


def overview(counts: Counter[str], letters: Collection[FoundDeadLetter]) -> RenderableType:
    """Lay out letters by reason, and some of them one by one."""
    by_reason = [[reason, f"{count:,}"] for reason, count in counts.most_common()]
    rows = [
        [letter.place, letter.reason, letter.event_name().id or "-", _time(letter) or "-", letter.detail]
        for letter in letters
    ]
    return Group(
        table(f"{counts.total():,} dead letters", ["reason", "records"], by_reason, numbers=["records"]),
        table(None, ["stood at", "reason", "event", "dead-lettered at", "why"], rows),
    )


def whole(letters: Collection[FoundDeadLetter]) -> RenderableType:
    """Lay out all of each letter; of a long value, the beginning."""
    return Group(*(_one(letter) for letter in letters)) if letters else "no dead letter is like that"


def redriven(plan: RedrivePlan, into: str, sent: int, is_sent: bool) -> RenderableType:
    """Lay out what was sent, or would be, and what was held back."""
    rows = [[reason, f"{count:,}", ""] for reason, count in sorted(plan.by_reason.items())]
    rows += [["", f"{count:,}", f"held back: {_why(why)}"] for why, count in sorted(plan.held_back.items())]
    title = f"{sent:,} records sent to {into}" if is_sent else f"{len(plan.chosen):,} records would go to {into}"
    return Group(
        table(title, ["reason", "records", " "], rows, numbers=["records"]),
        "" if is_sent else "nothing was sent; say --send to send them",
    )


def _why(held_back: HeldBack) -> str:
    """Return the word for it, and of what a person could take for a fault, more."""
    if held_back is HeldBack.BEYOND_WINDOW:
        return f"{held_back}, older than the ledger's identity window: it could not tell if they were credited since"
    return str(held_back)


def _one(letter: FoundDeadLetter) -> RenderableType:
    name, record = letter.event_name(), letter.record
    rows = [
        ["stood at", letter.place],
        ["reason", letter.reason],
        ["why", letter.detail],
        ["event", f"({name.source}, {name.id})" if name.id else "-"],
        ["dead-lettered at", _time(letter) or "-"],
        ["key", _text(record.key)],
        *([f"header {header}", _text(value)] for header, value in record.headers),
        ["value", _text(record.value)],
    ]
    return table(None, ["", " "], rows)


def _text(value: bytes | None) -> str:
    """Return bytes as people read them: text where they are text, Python's escapes where they are not."""
    if value is None:
        return "none"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = repr(value)[2:-1]
    return text if len(text) <= VALUE_CHARACTERS_SHOWN else f"{text[:VALUE_CHARACTERS_SHOWN]}… ({len(value):,} bytes)"


def _time(letter: FoundDeadLetter) -> str | None:
    if letter.timestamp_ms < 0:
        return None
    return datetime.fromtimestamp(letter.timestamp_ms / 1_000, UTC).isoformat(timespec="seconds")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
