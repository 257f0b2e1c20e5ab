"""Rules for what is in the newest records: events that will be refused, and dead letters that have one cause."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from kafka.consumer.fetcher import ConsumerRecord

from gmv.doctor.finding import Finding, fine, warning
from gmv.errors import Poison
from gmv.events.cloudevents import decode
from gmv.events.model import ImageUri
from gmv.events.uri_rules import UriRefused, scheme_of
from gmv.kafka.dead_letters import found
from gmv.settings import Settings

EVENTS_READ: Final = 200
DEAD_LETTERS_READ: Final = 1_000
"""How many of the newest are looked at; of events with images that is 20 MB as a rule."""

DEAD_LETTERS_MIN: Final = 10
"""Of fewer, more than half have one reason by chance."""


def names_file(record: ConsumerRecord) -> bool:
    """Return whether a record is an event whose image is in a file that it names."""
    try:
        content = decode(record.value, record.headers).content
        return isinstance(content, ImageUri) and scheme_of(content.uri) == "file"
    except (Poison, UriRefused):
        return False


def reason_of(record: ConsumerRecord) -> str | None:
    """Return why a record was dead-lettered, None where it is no dead letter of gmv's."""
    dead_letter = found(record)
    return None if dead_letter is None else dead_letter.reason


def judge_event_images(are_files: Sequence[bool] | None, settings: Settings) -> list[Finding]:
    """Judge whether files that events name can be read.

    Args:
        are_files: what `names_file` says of the newest events; None where this user may not read them.
        settings: of the worker to be.
    """
    check = "images of events"
    if are_files is None:
        return [fine(check, "not looked at: this user may not read events")]
    seen = f"{sum(are_files):,} of the newest {len(are_files):,} events name a file by its URI"
    if any(are_files) and settings.images.root is None:
        return [
            warning(
                check,
                f"{seen}, and images.root names no folder: each of them becomes a dead letter",
                "set images.root to the folder that those files lie in",
            )
        ]
    return [fine(check, seen)]


def judge_dead_letter_reasons(reasons: Sequence[str | None] | None) -> list[Finding]:
    """Judge whether dead letters have one cause, which can be mended.

    Args:
        reasons: what `reason_of` says of the newest dead letters; None where this user may not read them.
    """
    check = "reasons of dead letters"
    if reasons is None:
        return [fine(check, "not looked at: this user may not read dead letters")]
    counts = Counter(reason for reason in reasons if reason is not None)
    total = counts.total()
    for reason, count in counts.most_common(1):
        if total >= DEAD_LETTERS_MIN and count > total / 2:
            return [
                warning(
                    check,
                    f"{count:,} of the newest {total:,} dead letters are {reason}, so most may have one cause",
                    f"gmv dlq list --reason {reason} shows why; gmv dlq redrive sends them once more when it is mended",
                )
            ]
    return [fine(check, f"no reason is that of most ({total:,} dead letters looked at)")]
