"""Dead letters listed and shown: plain values of what was found."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gmv.stream.dead_letters import EventName, FoundDeadLetter, Wanted, each_once


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
    """

    source: Path | str
    dead_letters: int
    by_reason: Mapping[str, int]
    letters: tuple[ListedDeadLetter, ...]


@dataclass(frozen=True, slots=True)
class WholeDeadLetters:
    """The last of the dead letters that were meant, whole."""

    letters: tuple[WholeDeadLetter, ...]


def list_dead_letters(
    source: Path | str, found: Iterable[FoundDeadLetter], wanted: Wanted, limit: int
) -> ListedDeadLetters:
    """Count dead letters by reason, each once, and name the last of them."""
    counts = Counter[str]()
    last: deque[FoundDeadLetter] = deque(maxlen=limit)
    for dead_letter in filter(wanted.includes, each_once(found)):
        counts[dead_letter.reason] += 1
        last.append(dead_letter)
    return ListedDeadLetters(source, counts.total(), dict(sorted(counts.items())), tuple(map(listed, last)))


def show_dead_letters(found: Iterable[FoundDeadLetter], wanted: Wanted, limit: int) -> WholeDeadLetters:
    """Return the last dead letters, each once, with their content."""
    last = deque(filter(wanted.includes, each_once(found)), maxlen=limit)
    return WholeDeadLetters(tuple(map(_whole, last)))


def listed(found: FoundDeadLetter) -> ListedDeadLetter:
    """Return what is said of a dead letter beside others."""
    return ListedDeadLetter(
        topic=found.partition.topic,
        partition=found.partition.number,
        offset=found.record.offset,
        reason=found.reason,
        detail=found.detail,
        event=found.event_name(),
        replayed_from=tuple(found.replayed_from),
        dead_lettered_at=_time(found.timestamp_ms),
        value_bytes=None if found.record.value is None else len(found.record.value),
    )


def _whole(found: FoundDeadLetter) -> WholeDeadLetter:
    named = listed(found)
    return WholeDeadLetter(
        topic=named.topic,
        partition=named.partition,
        offset=named.offset,
        reason=named.reason,
        detail=named.detail,
        event=named.event,
        replayed_from=named.replayed_from,
        dead_lettered_at=named.dead_lettered_at,
        value_bytes=named.value_bytes,
        key=found.record.key,
        headers=tuple(found.record.headers),
        value=found.record.value,
    )


def _time(timestamp_ms: int) -> str | None:
    if timestamp_ms < 0:
        return None
    return datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="seconds")
