"""Dead letters listed and shown: plain values of what was found."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gmv.operations.credited_since import CreditedSince
from gmv.stream.dead_letters import EventName, FoundDeadLetter, Wanted, each_once

_ASKED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class ListedDeadLetter:
    """A dead letter, less its content.

    Attributes:
        topic: where the record was.
        partition: where the record was.
        offset: where the record was.
        reason: why it was refused.
        detail: the same in a sentence.
        event: what the record calls itself.
        replayed_from: the places where it was before it was sent again, oldest first.
        dead_lettered_at: ISO 8601, UTC; None where unknown.
        value_bytes: length of the record's value; None where it has none.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    event: EventName
    replayed_from: tuple[str, ...]
    dead_lettered_at: str | None
    value_bytes: int | None

    @property
    def place(self) -> str:
        """`topic/partition/offset`, where the record was."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetterNow(ListedDeadLetter):
    """A dead letter, and whether the ledger has credited an event of its id by now; None where that is not known."""

    credited: bool | None


@dataclass(frozen=True, slots=True)
class WholeDeadLetter(ListedDeadLetter):
    """A dead letter with the record's content as it is."""

    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True)
class ListedDeadLetters:
    """The dead letters that were meant.

    Attributes:
        source: file or topic that they are in.
        dead_letters: how many there are.
        by_reason: how many were refused for what.
        letters: the last of them.
        credited_by_reason: of how many of them the ledger has credited an event of that id by now; None where it
            cannot be asked.
        credited_unknown: what a ledger said that is named and cannot be asked.
    """

    source: Path | str
    dead_letters: int
    by_reason: Mapping[str, int]
    letters: tuple[DeadLetterNow, ...]
    credited_by_reason: Mapping[str, int] | None
    credited_unknown: str | None


@dataclass(frozen=True, slots=True)
class WholeDeadLetters:
    """The last of the dead letters that were meant, whole."""

    letters: tuple[WholeDeadLetter, ...]


def list_dead_letters(
    source: Path | str, found: Iterable[FoundDeadLetter], wanted: Wanted, limit: int, credited: CreditedSince
) -> ListedDeadLetters:
    """Count dead letters by reason, each once, and name the last of them."""
    counts, credited_counts = Counter[str](), Counter[str]()
    last: deque[tuple[FoundDeadLetter, bool | None]] = deque(maxlen=limit)
    meant = filter(wanted.includes, each_once(found))
    while asked := list(islice(meant, _ASKED_AT_ONCE)):
        for dead_letter, is_credited in zip(asked, credited.of(asked), strict=True):
            counts[dead_letter.reason] += 1
            credited_counts[dead_letter.reason] += is_credited is True
            last.append((dead_letter, is_credited))
    return ListedDeadLetters(
        source=source,
        dead_letters=counts.total(),
        by_reason=dict(sorted(counts.items())),
        letters=tuple(_now(*each) for each in last),
        credited_by_reason=dict(sorted(credited_counts.items())) if credited.is_known else None,
        credited_unknown=credited.why_unknown,
    )


def show_dead_letters(found: Iterable[FoundDeadLetter], wanted: Wanted, limit: int) -> WholeDeadLetters:
    """Return the last dead letters, each once, with their content."""
    last = deque(filter(wanted.includes, each_once(found)), maxlen=limit)
    return WholeDeadLetters(tuple(map(_whole, last)))


def listed(found: FoundDeadLetter) -> ListedDeadLetter:
    """Return what is said of a dead letter beside others."""
    return ListedDeadLetter(**_fields(found))


def _fields(found: FoundDeadLetter) -> dict[str, Any]:
    return {
        "topic": found.partition.topic,
        "partition": found.partition.number,
        "offset": found.record.offset,
        "reason": found.reason,
        "detail": found.detail,
        "event": found.event_name(),
        "replayed_from": tuple(found.replayed_from),
        "dead_lettered_at": _time(found.timestamp_ms),
        "value_bytes": None if found.record.value is None else len(found.record.value),
    }


def _now(found: FoundDeadLetter, credited: bool | None) -> DeadLetterNow:
    return DeadLetterNow(**_fields(found), credited=credited)


def _whole(found: FoundDeadLetter) -> WholeDeadLetter:
    return WholeDeadLetter(
        **_fields(found),
        key=found.record.key,
        headers=tuple(found.record.headers),
        value=found.record.value,
    )


def _time(timestamp_ms: int) -> str | None:
    if timestamp_ms < 0:
        return None
    return datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="seconds")
